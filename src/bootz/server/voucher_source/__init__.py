"""The owner's side of vouchers: fetched from each vendor's source, checked, kept, renewed.

Law of this room: a voucher is stored by ``operations.vouchers.storing`` alone, which verifies it
completely; what a source says is believed nowhere else. Onboarding reads the store and never
waits for a source.

Source: docs/protocol/ovgs.md#the-client.
"""
