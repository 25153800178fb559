"""Notebooks that look at much of what a kernel offers, to compare kernels by what they print."""

from __future__ import annotations

RANDOMNESS = (
    "import random, uuid, secrets, tempfile",
    "import numpy as np",
    "random.seed(3); print(random.random(), random.getrandbits(64))",
    "np.random.seed(3); print(np.random.rand(), np.random.randint(9, size=4))",
    "print(np.random.default_rng(3).normal(size=2), np.random.RandomState(3).rand())",
    "print(len(str(uuid.uuid4())), len(secrets.token_hex()), len(tempfile.mktemp()))",
    "print(random.Random(5).random(), random.SystemRandom().random() < 1)",
)

PROCESSES = (
    "import os, sys, subprocess, threading, signal, time\nimport multiprocessing as mp",
    (
        "found = []\n"
        "threads = [threading.Thread(target=found.append, args=[i]) for i in range(4)]\n"
        "for each in threads: each.start()\n"
        "for each in threads: each.join()\n"
        "print(sorted(found), threading.current_thread() is threading.main_thread())"
    ),
    (
        "def square(n): return n * n\n"
        "with mp.get_context('fork').Pool(2) as pool: print(pool.map(square, range(4)))"
    ),
    "with mp.get_context('spawn').Pool(1) as pool: print(pool.map(abs, [-1, -2]))",
    (
        "from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(2) as pool: print(list(pool.map(square, range(3))))\n"
        "with ProcessPoolExecutor(1, mp_context=mp.get_context('fork')) as pool:\n"
        "    print(list(pool.map(square, range(3))))"
    ),
    "print(subprocess.run(['echo', 'captured'], capture_output=True, text=True).stdout)",
    "code = os.system('echo from the descriptor; echo error >&2'); print(code)",
    "!echo shell $HOME",
    "%%bash\necho from bash; exit 0",
    (
        "code = 'import sys; print(sys.path[0], sys.flags)'\n"
        "print(subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout)"
    ),
    (
        "seen = []\n"
        "signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))\n"
        "os.kill(os.getpid(), signal.SIGUSR1)\n"
        "print(seen, signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))\n"
        "print(signal.getsignal(signal.SIGCHLD), signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    ),
    (
        "def ring(number, frame): raise TimeoutError('rang')\n"
        "signal.signal(signal.SIGALRM, ring); signal.setitimer(signal.ITIMER_REAL, 0.05)\n"
        "try: time.sleep(5)\n"
        "except TimeoutError as error: print(error)"
    ),
    "pid = os.fork()\nif not pid: os._exit(7)\nprint(os.waitstatus_to_exitcode(os.wait()[1]))",
    "print(os.getpgid(0) == os.getpid() == os.getsid(0), os.getpriority(os.PRIO_PROCESS, 0))",
)

SURROUNDINGS = (
    "import os, sys, locale, time, warnings, logging, gc, resource, threading\nimport pandas as pd",
    (
        "own = ('JPY_', 'JUPYTER_MLOPS_', 'MLFLOW_', 'PYDEVD_', 'PYTEST_')\n"
        "print({k: v for k, v in sorted(os.environ.items()) if not k.startswith(own)})"
    ),
    "print(os.getcwd(), sys.path, sys.executable, sys.flags, sys.getrecursionlimit())",
    "print(len(sys.argv), os.path.basename(sys.argv[0]), __name__, hasattr(__builtins__, 'open'))",
    "print(sorted(name for name in globals() if not name.startswith('_i')))",
    "import __main__; print(__main__.__dict__ is globals(), hasattr(__main__, '__file__'))",
    "print(repr(sys.stdin.read()), sys.stdout.encoding, type(sys.stdout), sys.stdout.isatty())",
    "print(locale.getlocale(), time.tzname, os.umask(0o22), sys.getswitchinterval())",
    "print(gc.isenabled(), gc.get_threshold(), resource.getrlimit(resource.RLIMIT_NOFILE))",
    "warnings.warn('look here')",
    "for each in warnings.filters: print(each)",
    "logging.warning('to standard error'); print(logging.getLogger().handlers)",
    "print('out'); print('err', file=sys.stderr)",
    (
        "def inner(): raise ValueError('bad')\n"
        "try: inner()\n"
        "except ValueError: import traceback; traceback.print_exc()"
    ),
    "input('name? ')",
)

IPYTHON = (
    "import asyncio, pickle, sys",
    "await asyncio.sleep(0.01); print(asyncio.get_running_loop().is_running())",
    "async def twice(n): return n * 2\nprint(await asyncio.gather(twice(1), twice(2)))",
    "ip = get_ipython(); print(type(ip), type(ip.kernel).__mro__[1:], ip.execution_count)",
    "print(ip.config.get('IPKernelApp', {}).keys(), ip.history_manager.enabled, ip.colors)",
    "%pwd",
    "%precision 3",
    "3.14159",
    "%%capture caught\nprint('kept')",
    "print(repr(caught.stdout), In[3][:12], Out)",
    "%history -n 1-3",
    "%who_ls",
    "%alias_magic pp pprint",
    "sum?",
    (
        "class Point:\n"
        "    def __init__(self, x): self.x = x\n"
        "    def __repr__(self): return f'Point({self.x})'\n"
        "print(pickle.loads(pickle.dumps(Point(3))), Point.__module__)"
    ),
    "Point(5)",
    (
        "from IPython.display import HTML, Markdown, clear_output, display, update_display\n"
        "handle = display(Markdown('*one*'), display_id='x'); update_display(HTML('<b>two</b>'),"
        " display_id='x')"
    ),
    "print('gone'); clear_output(wait=True); print('stays')",
    "print('\\x1b[31mred\\x1b[0m'); print('a\\rb')",
    "from ipywidgets import IntSlider\nslider = IntSlider(3); display(slider); slider.value = 4",
    "slider",
    "%load_ext autoreload",
    "%notamagic",
)

LIBRARIES = (
    (
        "import numpy as np\nimport pandas as pd\n"
        "import matplotlib\nimport matplotlib.pyplot as plt\n"
        "from sklearn.ensemble import HistGradientBoostingClassifier\n"
        "from sklearn.linear_model import LogisticRegression"
    ),
    "print(matplotlib.get_backend(), matplotlib.is_interactive(), plt.isinteractive())",
    "plt.plot([1, 2, 4]);",
    "figure, axes = plt.subplots(); axes.hist([1, 2, 2]); figure",
    "%matplotlib inline",
    "plt.figure(figsize=(2, 2)); plt.title('again'); plt.show()",
    "frame = pd.DataFrame({'a': [1, 2], 'b': ['x', None]}); frame",
    "X = np.random.default_rng(0).normal(size=(300, 4)); y = (X[:, 0] > 0).astype(int)",
    "LogisticRegression().fit(X, y)",
    "HistGradientBoostingClassifier(max_iter=5, random_state=0).fit(X, y).score(X, y)",
    "print((X @ X.T).shape, np.linalg.norm(X).round(6))",
    "frame.missing",
)

#: Every notebook by its name.
CORPUS = {
    "randomness": RANDOMNESS,
    "processes": PROCESSES,
    "surroundings": SURROUNDINGS,
    "ipython": IPYTHON,
    "libraries": LIBRARIES,
}
