#!version:1.0.0.1
include:config <y000000000025.cfg>
include:config <00156544b37c.cfg>
overwrite_mode = 0
