"""Stand-in networks: the channels' fakes on one port, with a page that shows the posts as readers would see them."""
