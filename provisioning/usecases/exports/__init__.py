"""What a PBX is given: people and their call settings, accounts, the changes of both."""
