"""What people do in publishing, one function per act. Never speaks HTTP and never names a database."""
