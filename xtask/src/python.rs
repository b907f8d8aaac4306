//! The Python packages that the tests call, in a virtual environment under `target`.

use std::{fs, process::Command};

use crate::{
    run::{Outcome, root, run},
    tools,
};

const REQUIREMENTS: &str = "tests/openapi/requirements.txt";

/// Makes the environment, unless it is there with these versions.
pub(crate) fn install() -> Outcome {
    let (requirements, environment) = (root().join(REQUIREMENTS), tools::python_packages());
    let wanted = fs::read_to_string(&requirements).map_err(|error| format!("{REQUIREMENTS}: {error}"))?;
    let installed = environment.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let python = tools::PYTHON_VENV.find().ok_or("a Python with `venv` is needed: Debian package python3-venv")?;
    run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&environment))?;
    let mut pip = Command::new(environment.join("bin/pip"));
    run(pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(&requirements))?;
    fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))
}
