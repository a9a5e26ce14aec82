"""What is run on a checkout, and not shipped: the pictures of docs/.

rooms: the rooms of a source tree: what is in each, what it imports, and its floor
architecture: the rooms as a picture
ratios: interpreters beside each other as a plot
pictures: the pictures of docs/, light and dark: what `make pictures` makes
"""
