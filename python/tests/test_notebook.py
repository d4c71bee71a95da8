"""The notebook runs from its first cell to its last."""

import pathlib

import pytest

NOTEBOOK = pathlib.Path(__file__).parents[1] / "examples" / "first_steps.ipynb"


def test_the_notebook_runs(tmp_path):
    wanted = "SKIPPED, the notebook is not run: pip install nbclient ipykernel matplotlib"
    nbclient = pytest.importorskip("nbclient", reason=wanted)
    pytest.importorskip("ipykernel", reason=wanted)
    pytest.importorskip("matplotlib", reason=wanted)
    import nbformat

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 2
    assert (tmp_path / "first-steps" / "report.html").exists()
