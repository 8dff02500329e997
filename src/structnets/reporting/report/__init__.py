"""The report: one HTML file of everything that was measured and drawn, which needs nothing else."""

from structnets.reporting.report.writing import write_report

__all__ = ["write_report"]
