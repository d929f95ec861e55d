"""The parties of the lab, each in a folder of its own, set up with the commands a person would use.

masa/     the manufacturer's voucher service, the root of its identities and vouchers
maker/    its factory: identities of routers
site/     the owner: keys, inventory, image store
routers/  one folder of hardware for each router
"""
