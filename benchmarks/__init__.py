"""Measures syncengine beside what people would use otherwise: `python -m benchmarks`. See docs/performance.md."""
