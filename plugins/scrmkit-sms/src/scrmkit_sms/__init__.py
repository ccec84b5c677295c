"""SMS channel with a provider protocol; Aliyun Dysmsapi, and a local sandbox."""
