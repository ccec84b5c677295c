"""WeCom (企业微信) channel: callbacks, contact ways, welcome messages, corp tags, and a local sandbox."""
