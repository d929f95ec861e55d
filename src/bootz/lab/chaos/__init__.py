"""Several servers on one PostgreSQL, while servers, database and voucher source are killed.

All parts are processes with their own folders, as in ``bootz lab``; what ends well is counted from
what each party has on record itself.
"""
