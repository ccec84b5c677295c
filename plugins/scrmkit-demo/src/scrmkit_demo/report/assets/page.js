"use strict";
/* Draws the charts, again when the width, the colours or the medium change. */
(() => {
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const drawn = new Map();
  const choices = {};
  let printing = false;

  const theme = () => (printing ? "light" : root.dataset.theme || (dark.matches ? "dark" : "light"));

  function draw(box) {
    const name = box.dataset.chart;
    const width = box.clientWidth;
    if (!width) return;
    try {
      const { height, option } = charts[name](data[name], data.palette[theme()], width, choices[name] || 0);
      box.style.height = Math.round(height) + "px";
      let chart = drawn.get(box);
      if (chart) chart.resize({ width, height: Math.round(height) });
      else {
        chart = echarts.init(box, null, { renderer: "svg", width, height: Math.round(height) });
        drawn.set(box, chart);
      }
      chart.setOption(option, true);
    } catch (error) {
      console.error(`The chart ${name} could not be drawn.`, error);
      box.textContent = "This chart could not be drawn; its numbers are in the table below.";
      box.classList.add("failed");
    }
  }

  const boxes = [...document.querySelectorAll("[data-chart]")];
  const drawAll = () => boxes.forEach(draw);

  const widths = new Map();
  const watch = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (widths.get(target) === target.clientWidth) continue;
      widths.set(target, target.clientWidth);
      draw(target);
    }
  });

  for (const button of document.querySelectorAll("[data-switch]")) {
    button.addEventListener("click", () => {
      choices[button.dataset.switch] = Number(button.dataset.value);
      for (const other of button.parentElement.children) other.setAttribute("aria-pressed", String(other === button));
      draw(document.getElementById("chart-" + button.dataset.switch));
    });
  }

  const button = document.getElementById("theme");
  const nameButton = () => { button.textContent = theme() === "dark" ? "Light" : "Dark"; };
  button.addEventListener("click", () => {
    root.dataset.theme = theme() === "dark" ? "light" : "dark";
    nameButton();
    drawAll();
  });
  button.hidden = false;
  nameButton();

  dark.addEventListener("change", () => { nameButton(); drawAll(); });

  /* Paper is white and of one width, whatever the screen is. */
  const print = (on) => () => {
    printing = on;
    root.classList.toggle("printing", on);
    drawAll();
  };
  addEventListener("beforeprint", print(true));
  addEventListener("afterprint", print(false));

  drawAll();
  boxes.forEach((box) => { widths.set(box, box.clientWidth); watch.observe(box); });
  root.dataset.charts = String(drawn.size);
})();
