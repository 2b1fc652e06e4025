"""Every reader of bytes that somebody else wrote, held to one promise: a result or a diagnostic, in proportion."""
