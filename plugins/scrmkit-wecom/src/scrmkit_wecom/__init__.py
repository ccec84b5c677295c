"""WeCom (企业微信): callbacks, contact ways, welcome messages, corp tags, a local sandbox."""
