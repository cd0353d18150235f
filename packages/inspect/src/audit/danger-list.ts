import { dangerousMethod } from "./risky-names.js";

/**
 * Modules of which every name is taken as able to run code, reach other processes, the network or files, or unpickle: their submodules
 * too. From the standard library, Python 2's names of it, and packages that checkpoints have no business with.
 */
const MODULES =
  "os posix nt posixpath ntpath _posixsubprocess _winapi subprocess commands popen2 sys pty tty runpy code codeop pdb bdb trace timeit profile cProfile _lsprof " +
  "doctest pydoc pkgutil importlib _frozen_importlib _frozen_importlib_external zipimport imp _imp zipapp compileall py_compile idlelib lib2to3 distutils setuptools pkg_resources pip " +
  "_distutils_hack ensurepip venv virtualenv site ctypes _ctypes cffi _cffi_backend socket _socket socketserver SocketServer ssl _ssl asyncio _asyncio asyncore asynchat multiprocessing " +
  "_multiprocessing multiprocess concurrent threading _thread thread signal _signal sched atexit webbrowser antigravity turtle turtledemo tkinter Tkinter idle_test " +
  "urllib urllib2 urllib3 http httplib httpx requests aiohttp ftplib smtplib smtpd telnetlib imaplib poplib nntplib xmlrpc xmlrpclib SimpleXMLRPCServer BaseHTTPServer SimpleHTTPServer CGIHTTPServer websocket websockets " +
  "paramiko fabric pexpect ptyprocess invoke sh plumbum psutil boto3 botocore shutil tempfile fileinput glob filecmp mailcap pipes cgi cgitb wsgiref " +
  "pickle _pickle cPickle pickletools dill cloudpickle marshal shelve dbm anydbm whichdb jsonpickle " +
  "_osx_support _aix_support _bootsubprocess _pyrepl unittest pytest _pytest nose IPython ipykernel jupyter_client jupyter_core ipywidgets linecache rlcompleter readline " +
  "winreg _winreg msvcrt msilib fcntl resource mmap gc faulthandler tracemalloc sqlite3 _sqlite3 tarfile zipfile " +
  "jinja2 mako flask django tornado gunicorn twisted celery pyautogui pynput keyboard win32api win32com pythoncom " +
  "_testcapi _testinternalcapi _xxsubinterpreters _interpreters _xxinterpchannels redis pymongo psycopg2 psycopg MySQLdb pymysql git cython Cython nbconvert pydbus dbus llama_cpp langchain_experimental " +
  "telnetlib3 pyngrok ngrok";

/** Names that run code, load other pickles or reach files and networks, in modules that hold harmless names too. */
const NAMES: Readonly<Record<string, string>> = {
  "test.support": "*",
  builtins:
    "eval exec execfile compile __import__ open file input raw_input breakpoint globals locals vars dir setattr delattr hasattr apply map filter reload exit quit help super __build_class__",
  io: "open open_code FileIO OpenWrapper",
  _io: "open open_code FileIO",
  _pyio: "open FileIO open_code",
  codecs: "open EncodedFile",
  operator: "attrgetter methodcaller call",
  _operator: "attrgetter methodcaller call",
  types:
    "CodeType FunctionType LambdaType MethodType BuiltinFunctionType BuiltinMethodType ModuleType GeneratorType CellType DynamicClassAttribute new_class coroutine",
  new: "code function instancemethod module classobj",
  inspect: "getsource getmodule currentframe stack getattr_static",
  logging: "FileHandler config",
  "logging.config": "listen dictConfig fileConfig",
  "logging.handlers": "SocketHandler HTTPHandler SMTPHandler RotatingFileHandler",
  uuid: "_get_command_stdout _popen _find_mac _netstat_getter _ifconfig_getter _arp_getter _ip_getter _netbios_getter _ipconfig_getter",
  platform: "popen _syscmd_file _syscmd_ver",
  getpass: "getpass",
  pathlib: "os io",
  random: "_os _urandom",
  uu: "encode decode",
  binhex: "hexbin",
  typing: "get_type_hints _eval_type",
  bz2: "BZ2File open",
  gzip: "GzipFile open",
  lzma: "LZMAFile open",
  itertools: "starmap",
  contextlib: "ExitStack",
  dataclasses: "make_dataclass _create_fn",
  copyreg: "pickle constructor add_extension",
  torch:
    "load save compile hub ops classes import_ir_module from_file jit package utils serialization fx _dynamo _inductor multiprocessing os sys",
  "torch.serialization": "load save _load _legacy_load open _open_file mkdtemp _save os io pickle shutil tarfile",
  "torch.hub": "*",
  "torch.package": "*",
  "torch.jit": "load save script trace",
  "torch.jit._serialization": "*",
  "torch.jit.unsupported_tensor_ops": "execWrapper",
  "torch.fx": "*",
  "torch.utils.cpp_extension": "*",
  "torch.utils.collect_env": "*",
  "torch.utils.bottleneck": "*",
  "torch.utils.model_dump": "*",
  "torch.utils.show_pickle": "*",
  "torch.utils.model_zoo": "*",
  "torch.utils._config_module": "*",
  "torch.utils.data.datapipes": "*",
  "torch.utils.file_baton": "*",
  "torch.utils.hipify": "*",
  "torch.utils._freeze": "*",
  "torch.utils.benchmark": "*",
  "torch.utils.tensorboard": "*",
  "torch._dynamo": "*",
  "torch._inductor": "*",
  "torch._export": "*",
  "torch.export": "*",
  "torch._ops": "*",
  "torch._classes": "*",
  "torch._library": "*",
  "torch.library": "*",
  "torch.multiprocessing": "*",
  "torch.testing": "*",
  "torch.distributed.rpc": "*",
  "torch.distributed.run": "*",
  "torch.distributed.launch": "*",
  "torch.distributed.elastic": "*",
  "torch.distributed.launcher": "*",
  "torch.distributed.nn.jit": "*",
  "torch.distributed.checkpoint.format_utils": "*",
  "torch.fx.experimental.symbolic_shapes": "*",
  "torch.onnx": "*",
  "torch._C": "import_ir_module PyTorchFileReader PyTorchFileWriter _import_ir_module_from_package",
  "torchvision.datasets.utils": "*",
  "torchvision.io": "*",
  "torch.distributed.checkpoint.filesystem": "FileSystemReader FileSystemWriter",
  "torch._weights_only_unpickler": "*",
  "torch._subclasses": "*",
  "torch._jit_internal": "*",
  "torch.jit._script": "*",
  "torch.jit.frontend": "*",
  "torch.cuda.jiterator": "*",
  "torch.cuda._memory_viz": "*",
  "torch.distributed.distributed_c10d": "*",
  "torchaudio.sox_effects": "*",
  "numpy.testing": "*",
  "numpy.f2py": "*",
  "numpy.distutils": "*",
  "numpy.lib.npyio": "load save loadtxt genfromtxt DataSource NpzFile",
  "numpy.lib._npyio_impl": "load save loadtxt genfromtxt DataSource NpzFile",
  "numpy.lib.format": "read_array open_memmap write_array",
  "numpy.lib._datasource": "*",
  "numpy.lib.utils": "safe_eval info source lookfor",
  "numpy.ctypeslib": "*",
  "numpy.compat.py3k": "*",
  "numpy.compat": "*",
  numpy:
    "load save savez fromfile loadtxt genfromtxt memmap savetxt fromregex apply_along_axis apply_over_axes frompyfunc piecewise fromfunction os sys lib f2py testing distutils ctypeslib __builtins__",
  scipy: "io LowLevelCallable",
  "scipy.io": "*",
  "scipy.weave": "*",
  pandas:
    "read_pickle read_csv read_json read_sql read_excel read_html read_xml read_parquet read_hdf read_table read_clipboard read_feather read_orc read_stata read_sas eval",
  "pandas.io": "*",
  "pandas.core.computation": "*",
  "pandas.compat.pickle_compat": "*",
  joblib: "load dump Parallel delayed Memory",
  "joblib.numpy_pickle": "load load_temporary_memmap _unpickle",
  "joblib._parallel_backends": "*",
  "joblib.externals": "*",
  "sklearn.datasets":
    "fetch_openml fetch_california_housing fetch_lfw_people fetch_20newsgroups load_files load_svmlight_file get_data_home clear_data_home",
  yaml: "load unsafe_load full_load load_all UnsafeLoader Loader",
  tensorflow: "py_function numpy_function load_op_library",
  "tensorflow.python.ops.io_ops": "*",
  "tensorflow.python.framework.load_library": "*",
  keras: "models",
  "keras.models": "load_model",
  "keras.layers": "Lambda TorchModuleWrapper TFSMLayer",
  "keras.src.layers.core.lambda_layer": "Lambda",
  "keras.utils": "get_file",
  "keras.src.utils.python_utils": "func_load",
  "keras.saving": "load_model load_weights deserialize_keras_object",
  "keras.src.saving": "*",
  transformers: "pipeline",
  "transformers.pipelines": "pipeline",
  "transformers.commands": "*",
  "transformers.tools": "*",
  "transformers.agents": "*",
  datasets: "load_dataset load_from_disk",
  "datasets.load": "*",
  onnxruntime: "InferenceSession",
  "onnxruntime.capi": "*",
  "lightning.pytorch.cli": "*",
  "pytorch_lightning.cli": "*",
  "pytorch_lightning.utilities.cli": "*",
  gradio: "*",
  streamlit: "*",
  fastai: "load_learner",
  "fastai.learner": "load_learner",
  "fastai.basic_train": "load_learner",
  fsspec: "open open_files open_local",
  "fsspec.core": "open open_files open_local get_fs_token_paths",
  h5py: "File",
  "jax.experimental": "*",
  weakref: "finalize",
  six: "exec_ reraise",
  "six.moves": "*",
  "past.builtins": "execfile",
  sqlalchemy: "create_engine",
  "sqlalchemy.ext.serializer": "*",
  mlflow: "*",
  ray: "init remote get",
  docker: "*",
  "distributed.protocol": "*",
  "transformers.utils.hub": "*",
  "transformers.dynamic_module_utils": "*",
  huggingface_hub: "*",
  "nltk.data": "*",
  "hydra.utils": "instantiate call",
  "hydra._internal": "*",
  "sympy.core.sympify": "*",
  "sympy.parsing": "*",
  "sympy.utilities.lambdify": "*",
  numexpr: "evaluate",
  numba: "*",
  "lightning.fabric.utilities.cloud_io": "*",
  "pytorch_lightning.utilities.cloud_io": "*",
  "lightning_fabric.utilities.cloud_io": "*",
  "werkzeug.debug": "*",
  _codecs: "lookup register",
};

/** Those that are no packages, and whose names users give to folders of their own: `code.model` is not Python's `code`. */
const SINGLE = new Set(
  "code trace profile site signal commands resource sched tty new sh invoke thread mailcap pipes glob readline".split(" "),
);

const WHOLE = new Set(MODULES.split(" "));
const EXACT = new Map(Object.entries(NAMES).map(([module, names]) => [module, new Set(names.split(" "))]));

/** Names that reach further, as attributes of anything: the ways from any object to its module's globals and to its classes. */
const REACHING =
  /(?:^|\.)__(?!init__$|new__$|class__$|name__$|doc__$|module__$)\w+__(?:\.|$)|(?:^|\.)(?:f_globals|f_builtins|func_globals|gi_frame|tb_frame|co_code)(?:\.|$)/;

/** Keras and its copy in TensorFlow: functions and layers that load models, code or files. */
const KERAS = /^(?:tf_|tensorflow\.(?:python\.)?)?keras(?:\.|$)/;
const OF_KERAS =
  /^(?:Lambda|TFSMLayer|TorchModuleWrapper|load_model|load_weights|get_file|func_load|deserialize_model_from_bytecode|unpickle_model|model_from_\w+)$/;

/** Modules that no other module's names should lead to. */
const CORE_MODULES = new Set(
  "os sys posix nt subprocess builtins __builtin__ __builtins__ importlib ctypes pickle _pickle socket shutil runpy pty marshal".split(" "),
);

/** Names of functions that run their arguments, under whatever module they stand. */
const RUNS_ANYWHERE = new Set(
  "system popen Popen popen2 popen3 eval exec execfile execv execve execl execlp execvp spawnl spawnv spawnlp check_output check_call getoutput getstatusoutput __import__ import_module runstring run_code runcode runsource run_module run_path exec_command loadLibrary instantiate_class instantiate_from_config get_obj_from_str get_object_from_string from_pretrained load_from_checkpoint load_learner load_state_dict_from_url urlretrieve urlopen rmtree import_modules_from_strings exec_local import_string import_from_string load_object resolve_name locate load_module exec_module load_pickle unpickle".split(
    " ",
  ),
);

/** Why a name is taken to run code; undefined when it is not. Names are those of Python 3. */
export function dangerousBecause(module: string, name: string): string | undefined {
  const top = module.split(".", 1)[0] ?? module;
  if (WHOLE.has(top) && (module === top || !SINGLE.has(top)))
    return `the module ${top} runs programs, loads code, or reaches files and networks`;
  const [first = name] = name.split(".", 1);
  for (let at = module; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
    const names = EXACT.get(at);
    if (names?.has("*") || (at === module && names?.has(first)))
      return `${at === module ? `${module}.${first}` : at} is known to run code or to reach files`;
  }
  const method = dangerousMethod(module, name);
  if (method !== undefined) return method;
  if (KERAS.test(module) && OF_KERAS.test(first)) return "it loads a model, code or a file";
  if (REACHING.test(name)) return "it reaches into the inside of Python, from where anything can be called";
  const reached = name.split(".").find((part) => CORE_MODULES.has(part));
  return reached === undefined ? undefined : `it leads to the module ${reached} through another one`;
}

/** Whether a name is that of a function which runs its arguments, though its module is not known. */
export const looksDangerous = (name: string): boolean => name.split(".").some((part) => RUNS_ANYWHERE.has(part));
