"""Alibaba Cloud Dysmsapi (阿里云短信服务), API version 2017-05-25."""
