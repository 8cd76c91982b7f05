#!version:1.0.0.1
include:config <y000000000146.cfg>
include:config <805e0cf40bb9.cfg>
overwrite_mode = 0
