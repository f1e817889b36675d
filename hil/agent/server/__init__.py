"""The agent's own side: what runs as root.

One asyncio loop serves every client. ``serving`` accepts messages and answers them, ``operations`` is the table from
request to deed, and each further module is one thing the agent can do. A deed that must be undone puts its
undoing on the client's ``undo`` stack at the moment it is done; when the client's first connection closes, however that
came about, the stack is run from the top.
"""
