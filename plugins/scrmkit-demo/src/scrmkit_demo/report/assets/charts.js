"use strict";
/* Options of each chart. A builder gets the rows, the colours and the width, and returns
   {height, option}. Texts reach the page only as text: tooltips are built from DOM nodes. */
const charts = (() => {
  const whole = new Intl.NumberFormat("en");
  const count = (n) => whole.format(n);
  const yuan = (fen) => "¥" + new Intl.NumberFormat("en", { minimumFractionDigits: 2 }).format(fen / 100);
  const short = (n) => (n >= 10000 ? Math.round(n / 1000) + "k" : count(n));
  const percent = (share) => (share > 0 && share < 0.0995 ? (share * 100).toFixed(1) : Math.round(share * 100)) + " %";
  const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const month = (iso) => MONTHS[Number(iso.slice(5, 7)) - 1] + " " + iso.slice(0, 4);

  function tip(title, ...lines) {
    const box = document.createElement("div");
    box.style.maxWidth = "300px";
    box.style.whiteSpace = "normal";
    box.style.overflowWrap = "anywhere";
    const head = box.appendChild(document.createElement("b"));
    head.textContent = title;
    for (const line of lines.filter(Boolean)) box.appendChild(document.createElement("div")).textContent = line;
    return box;
  }

  function base(c, describe) {
    return {
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: c.ink },
      tooltip: {
        confine: true, backgroundColor: c.card, borderColor: c.line, padding: [8, 12],
        textStyle: { color: c.ink, fontSize: 13 },
        formatter: (hit) => describe(hit) || "",
      },
    };
  }

  const axis = (c) => ({
    axisLine: { lineStyle: { color: c.line } }, axisTick: { show: false },
    splitLine: { lineStyle: { color: c.line } },
    axisLabel: { color: c.soft, fontSize: 12 }, nameTextStyle: { color: c.soft, fontSize: 12 },
  });

  /* Bars with their label above and their number at the right: long labels stay whole. */
  function bars(c, width, rows, describe) {
    const label = (side, weight, colour) => ({
      inside: true, margin: 0, align: side, verticalAlign: "bottom", padding: [0, 0, 11, 0],
      color: colour, fontSize: 13, fontWeight: weight, interval: 0,
    });
    const hidden = { type: "category", inverse: true, axisLine: { show: false }, axisTick: { show: false }, z: 10 };
    const spare = (row) => Math.max(70, width - 24 - 8 * row.said.length);
    return {
      height: rows.length * 48 + 10,
      option: {
        ...base(c, (hit) => describe(rows[hit.dataIndex])),
        grid: { left: 0, right: 1, top: 8, bottom: 0 },
        xAxis: { type: "value", show: false, max: Math.max(1, ...rows.map((row) => row.value)) },
        yAxis: [
          { ...hidden, data: rows.map((_, n) => n), axisLabel: { ...label("left", 500, c.ink), formatter: (n) => fit(rows[n].name, spare(rows[n]), 7.3) } },
          { ...hidden, position: "right", data: rows.map((_, n) => n), axisLabel: { ...label("right", 600, c.soft), formatter: (n) => rows[n].said } },
        ],
        series: [{
          type: "bar", barWidth: 10, barMinHeight: 3, showBackground: true,
          backgroundStyle: { color: c.track, borderRadius: 5 },
          itemStyle: { borderRadius: 5 },
          data: rows.map((row) => ({ value: row.value, itemStyle: { color: row.colour } })),
        }],
      },
    };
  }

  /* Cuts a text to a width in pixels; a Chinese character is about twice as wide as a letter. */
  function fit(text, room, letter) {
    let used = 0;
    for (let n = 0; n < text.length; n += 1) {
      used += text.charCodeAt(n) > 0x2e80 ? letter * 2 : letter;
      if (used > room) return text.slice(0, Math.max(1, n - 1)) + "…";
    }
    return text;
  }

  function funnel(rows, c, width) {
    const colours = { "导": c["heat-2"], "接": c.accent, "运": c.accent, "转": c.warm };
    return bars(c, width, rows.map((row, n) => {
      const before = n ? rows[n - 1].customers : 0;
      const share = before ? percent(row.customers / before) : "";
      return {
        ...row, value: row.customers, colour: colours[row.phase] || c.accent, share,
        name: `${row.phase}  ${row.name} ${row.name_zh}`, said: count(row.customers) + (share && "  ·  " + share),
      };
    }), (row) => tip(row.name, count(row.customers) + " customers", row.share && row.share + " of the stage before"));
  }

  function messages(rows, c, width) {
    const colours = {
      accepted: c.good, delivered: c.good, suppressed: c.mute, expired: c.mute, unknown: c.sand,
      refused: c.bad, undelivered: c.bad, dead: c.bad,
    };
    const all = rows.reduce((sum, row) => sum + row.messages, 0);
    return bars(c, width, [...rows].sort((a, b) => b.messages - a.messages).map((row) => ({
      ...row, value: row.messages, colour: colours[row.outcome] || c.accent,
      name: row.outcome + (row.reason ? ": " + row.reason : ""), said: count(row.messages),
    })), (row) => tip(row.name, `${row.channel}: ${count(row.messages)} messages`, percent(row.messages / all) + " of all"));
  }

  function scores({ bins, bands }, c, width) {
    const rising = [...bands].sort((a, b) => a.low_hundredths - b.low_hundredths);
    const shade = (n) => echarts.color.lerp(n / Math.max(1, rising.length - 1), [c["heat-1"], c["heat-2"]]);
    const bandOf = (low) => Math.max(0, rising.findLastIndex((band) => band.low_hundredths <= low));
    const name = (bin) => `${bin.low / 100} to ${bin.high / 100}`;
    return {
      height: Math.min(430, Math.max(290, width * 0.86)),
      option: {
        ...base(c, (hit) => {
          const bin = bins[hit.dataIndex];
          const band = rising[bandOf(bin.low)];
          return tip(name(bin) + " points", count(bin.count) + " customers", band && "band " + band.name);
        }),
        grid: { left: 2, right: 8, top: 36, bottom: 2, outerBoundsMode: "same" },
        xAxis: {
          ...axis(c), type: "category", data: bins.map((bin) => bin.low / 100), name: "score", nameLocation: "middle",
          nameGap: 28, axisLabel: { color: c.soft, interval: (n) => bins[n].low % 1000 === 0 },
        },
        yAxis: { ...axis(c), type: "value", axisLine: { show: false }, axisLabel: { color: c.soft, formatter: short } },
        series: [{
          type: "bar", barCategoryGap: "8%", data: bins.map((bin) => ({
            value: bin.count, itemStyle: { color: shade(bandOf(bin.low)), borderRadius: [3, 3, 0, 0] },
          })),
          markArea: {
            silent: true, itemStyle: { color: "transparent" },
            label: { position: "top", color: c.soft, fontSize: 12, lineHeight: 15, formatter: (hit) => hit.name },
            data: rising.map((band, n) => {
              const inside = bins.map((bin, at) => at).filter((at) => bandOf(bins[at].low) === n);
              return inside.length ? [
                { name: `${band.name}\n${width < 420 ? short(band.customers) : count(band.customers)}`, xAxis: inside[0] },
                { xAxis: inside[inside.length - 1] },
              ] : null;
            }).filter(Boolean),
          },
        }],
      },
    };
  }

  function heat(c, low, high, dimension) {
    return {
      show: false, min: low, max: Math.max(high, low + 1e-9), dimension,
      inRange: { color: [c["heat-0"], c["heat-1"], c["heat-2"]] },
    };
  }

  function luminance(colour) {
    const [r, g, b] = echarts.color.parse(colour).map((part) => {
      const share = part / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  /* Of the two inks the one that stands out more on the heat's colour at *part* of its range. */
  function onHeat(c, part) {
    const ground = luminance(echarts.color.lerp(Math.min(1, part), [c["heat-0"], c["heat-1"], c["heat-2"]])) + 0.05;
    const contrast = (ink) => { const it = luminance(ink) + 0.05; return Math.max(it, ground) / Math.min(it, ground); };
    return contrast(c["on-heat"]) > contrast(c.ink) ? c["on-heat"] : c.ink;
  }

  function rfm(cells, c, width, choice) {
    const value = (cell) => (choice ? cell.spend_fen : cell.customers);
    const most = Math.sqrt(Math.max(1, ...cells.map(value)));
    const said = (cell) => (choice ? "¥" + short(Math.round(cell.spend_fen / 100)) : count(cell.customers));
    return {
      height: Math.min(420, width * 0.82),
      option: {
        ...base(c, (hit) => {
          const cell = cells[hit.dataIndex];
          return tip(`R ${cell.r}, F ${cell.f}`, count(cell.customers) + " customers", yuan(cell.spend_fen) + " spent");
        }),
        grid: { left: 2, right: 4, top: 4, bottom: 2, outerBoundsMode: "same" },
        xAxis: { ...axis(c), type: "category", data: [1, 2, 3, 4, 5], name: "F, frequency", nameLocation: "middle", nameGap: 26, axisLine: { show: false } },
        yAxis: { ...axis(c), type: "category", data: [1, 2, 3, 4, 5], name: "R, recency", nameLocation: "middle", nameGap: 20, axisLine: { show: false } },
        visualMap: heat(c, 0, most, 2),
        series: [{
          type: "heatmap", data: cells.map((cell) => ({
            value: [cell.f - 1, cell.r - 1, Math.sqrt(value(cell))],
            label: { color: onHeat(c, Math.sqrt(value(cell)) / most) },
          })),
          label: { show: true, fontSize: width < 380 ? 11 : 13, formatter: (hit) => said(cells[hit.dataIndex]) },
          itemStyle: { borderColor: c.card, borderWidth: 3, borderRadius: 6 },
          emphasis: { itemStyle: { borderColor: c.ink } },
        }],
      },
    };
  }

  /* Months run to the right, or downwards where the page is narrow. */
  function cohorts(rows, c, width) {
    const ages = rows[0].active.map((_, age) => age);
    const tall = width < 34 * ages.length + 90;
    const share = (row, age) => row.active[age] / row.size;
    const known = rows.flatMap((row, n) => ages.filter((age) => row.active[age] !== null).map((age) => ({ row, n, age })));
    const later = known.filter((it) => it.age).map((it) => share(it.row, it.age));
    const most = Math.max(0, ...later);
    const least = later.length ? Math.min(...later) / 2 : 0;
    const months = { ...axis(c), type: "category", data: ages.map((age) => (age ? "+" + age : "joined")), axisLine: { show: false } };
    const names = { ...axis(c), type: "category", data: rows.map((row) => month(row.month)), axisLine: { show: false } };
    const small = tall ? (width - 70) / rows.length < 34 : (width - 90) / ages.length < 34;
    return {
      height: tall ? ages.length * 30 + 40 : rows.length * 54 + 40,
      option: {
        ...base(c, (hit) => {
          const { row, age } = known[hit.dataIndex];
          const spent = age < row.spend_fen.length && row.size ? yuan(Math.floor(row.spend_fen[age] / row.size)) : "";
          return tip(
            month(row.month) + (age ? `, ${age} ${age > 1 ? "months" : "month"} later` : ", first order"),
            age ? `${count(row.active[age])} of ${count(row.size)} bought: ${percent(share(row, age))}` : count(row.size) + " customers joined",
            spent && spent + " spent by then, a customer",
          );
        }),
        grid: { left: 2, right: 2, top: 2, bottom: 2, outerBoundsMode: "same" },
        xAxis: { ...(tall ? names : months), position: "top" },
        yAxis: { ...(tall ? months : names), inverse: true },
        visualMap: heat(c, least, most, 2),
        series: [{
          type: "heatmap", data: known.map(({ row, n, age }) => ({
            value: [tall ? n : age, tall ? age : n, share(row, age)],
            ...(age ? {} : { visualMap: false, itemStyle: { color: c.first } }),
            label: { color: age ? onHeat(c, (share(row, age) - least) / (most - least || 1)) : c.ink },
          })),
          label: {
            show: !small, fontSize: 12,
            formatter: ({ dataIndex }) => {
              const { row, age } = known[dataIndex];
              return age ? percent(share(row, age)).replace(" ", "") : short(row.size);
            },
          },
          itemStyle: { borderColor: c.card, borderWidth: 2, borderRadius: 5 },
          emphasis: { itemStyle: { borderColor: c.ink } },
        }],
      },
    };
  }

  function bargains(rows, c) {
    const colours = [c.accent, c.warm, c.plum, c.sand, c.good];
    const longest = Math.max(1, ...rows.map((row) => row.prices_fen.length - 1));
    return {
      height: 320,
      option: {
        ...base(c, (hit) => {
          const row = rows[hit.seriesIndex];
          const n = hit.dataIndex;
          const cut = n ? row.prices_fen[n - 1] - row.prices_fen[n] : 0;
          return tip(row.name, (n ? `help ${n}: ` : "start: ") + yuan(row.prices_fen[n]), n && "cut by " + yuan(cut), row.outcome);
        }),
        legend: {
          bottom: 0, left: 0, type: "scroll", icon: "roundRect", itemWidth: 14, itemHeight: 4,
          textStyle: { color: c.soft }, pageTextStyle: { color: c.soft }, data: rows.map((row, n) => ({ name: String(n) })),
          formatter: (n) => fit(rows[n].name, 200, 7),
        },
        grid: { left: 2, right: 14, top: 12, bottom: 32, outerBoundsMode: "same" },
        xAxis: { ...axis(c), type: "value", min: 0, max: longest, minInterval: 1, name: "helps", nameLocation: "middle", nameGap: 24, splitLine: { show: false } },
        yAxis: { ...axis(c), type: "value", min: 0, axisLine: { show: false }, axisLabel: { color: c.soft, formatter: (n) => "¥" + short(Math.round(n)) } },
        series: rows.map((row, n) => ({
          type: "line", name: String(n), step: "end", symbol: "circle", symbolSize: 7, color: colours[n % colours.length],
          lineStyle: { width: 2.5 }, data: row.prices_fen.map((fen, helps) => [helps, fen / 100]),
          markLine: {
            silent: true, symbol: "none", label: { show: false }, animation: false,
            lineStyle: { type: "dashed", color: colours[n % colours.length], opacity: 0.7 },
            data: [{ yAxis: row.floor_fen / 100 }],
          },
        })),
      },
    };
  }

  const LANES = ["touchpoint", "decision", "message", "score"];

  function journey(steps, c, width) {
    const colours = { touchpoint: c.mute, decision: c.accent, message: c.warm, score: c.plum };
    const symbols = { touchpoint: "circle", decision: "diamond", message: "roundRect", score: "triangle" };
    const at = (step) => Date.parse(step.at + "Z");
    return {
      height: 240,
      option: {
        ...base(c, (hit) => {
          const step = steps[hit.dataIndex];
          return tip(step.title, step.at.replace("T", " "), step.outcome, step.why && "Why: " + step.why, step.plugin);
        }),
        useUTC: true,
        grid: { left: 2, right: 16, top: 6, bottom: 2, outerBoundsMode: "same" },
        xAxis: { ...axis(c), type: "time", boundaryGap: ["2%", "1%"], splitNumber: width < 520 ? 3 : 7, splitLine: { show: false }, axisLabel: { color: c.soft, hideOverlap: true, formatter: { year: "{yyyy}", month: "{MMM}", day: "{d} {MMM}" } } },
        yAxis: { ...axis(c), type: "category", data: LANES, inverse: true, axisLine: { show: false }, splitLine: { show: true, lineStyle: { color: c.line, type: "dotted" } } },
        series: [{
          type: "scatter", symbolSize: 14, data: steps.map((step) => ({
            value: [at(step), Math.max(0, LANES.indexOf(step.kind))], symbol: symbols[step.kind] || "circle",
            itemStyle: { color: colours[step.kind] || c.mute, opacity: 0.75, borderColor: c.card, borderWidth: 1 },
          })),
          emphasis: { itemStyle: { opacity: 1, borderColor: c.ink } },
        }],
      },
    };
  }

  return { funnel, messages, scores, rfm, cohorts, bargains, journey };
})();
