#!version:1.0.0.1
include:config <y000000000077.cfg>
include:config <805ec0000081.cfg>
overwrite_mode = 0
