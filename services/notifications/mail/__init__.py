"""Mail: composed purely, carried by SMTP or written as files. Never sends one message under two names."""
