"""What every party's database shares: engines, transactions that survive a crash, times as text.

Tables and their meaning belong to each party.
"""
