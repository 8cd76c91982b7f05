#!version:1.0.0.1
include:config <y000000000175.cfg>
include:config <805ec0000075.cfg>
overwrite_mode = 0
