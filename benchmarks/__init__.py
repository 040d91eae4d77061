import bundle  # noqa: F401  # before any import of openvino, which else sends usage data
