"""The TFTP door: an asyncio datagram engine that serves files to phones."""
