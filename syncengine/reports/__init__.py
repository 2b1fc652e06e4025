"""Plans, results and findings as text, Markdown, HTML, JSON, SARIF, JUnit and CSV: values in, text out.

For the command line alone; knows core and its words, and opens nothing.
"""
