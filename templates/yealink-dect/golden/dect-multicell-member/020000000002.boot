#!version:1.0.0.1
include:config <y000000000175.cfg>
include:config <020000000002.cfg>
overwrite_mode = 0
