"""What a running site measures: counted by each process in a file, added up by the door.

A process counts into a file of its own under ``run/metrics`` (``counting``), mapped into memory,
so that a count costs no system call and outlives the process. The door adds the files up
(``folder``), and adds what the database knows (``of_site``).
"""
