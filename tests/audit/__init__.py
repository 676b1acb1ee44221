"""wsgibench.audit: does it find what is planted, and nothing else?"""
