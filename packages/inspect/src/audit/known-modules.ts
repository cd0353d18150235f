/** Top-level modules of Python's standard library that are not dangerous as a whole; Python 2's names too. @see sys.stdlib_module_names */
const STANDARD =
  "__future__ _abc _ast _bisect _blake2 _bz2 _codecs _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _collections _collections_abc _compat_pickle _compression _contextvars _crypt _csv " +
  "_curses _datetime _dbm _decimal _elementtree _functools _gdbm _hashlib _heapq _interpreters _io _json _locale _lzma _markupbase _md5 _opcode _operator _overlapped _posixshmem _py_abc _pydatetime _pydecimal _pyio _queue _random " +
  "_sha1 _sha2 _sha256 _sha3 _sha512 _sitebuiltins _sre _stat _statistics _string _strptime _struct _symtable _sysconfig _threading_local _tokenize _typing _uuid _warnings _weakref _weakrefset _zoneinfo " +
  "abc aifc annotationlib argparse array ast audioop base64 binascii binhex bisect builtins bz2 calendar chunk cmath cmd codecs collections colorsys compression configparser contextlib contextvars copy copyreg crypt csv curses " +
  "dataclasses datetime decimal difflib dis email encodings enum errno exceptions fnmatch formatter fractions functools genericpath getopt getpass gettext graphlib grp gzip hashlib heapq hmac html imghdr inspect io ipaddress itertools json " +
  "keyword locale logging lzma macpath mailbox math mimetypes modulefinder netrc new nis nturl2path numbers opcode operator optparse ossaudiodev parser pathlib platform plistlib pprint pstats pwd pyclbr pydoc_data pyexpat queue quopri " +
  "random re reprlib sre sre_compile sre_constants sre_parse secrets select selectors sets sha shlex sndhdr spwd stat statistics string stringprep strop struct sunau symbol symtable sysconfig syslog tabnanny termios textwrap this time token " +
  "tokenize tomllib traceback types typing unicodedata uu uuid warnings wave weakref winsound xdrlib xml zlib zoneinfo " +
  "ConfigParser Cookie HTMLParser Queue StringIO cStringIO UserDict UserList UserString __builtin__ copy_reg dummy_thread htmlentitydefs itertools repr rfc822 robotparser sgmllib urlparse user";

/** Packages that everyone has and that hold functions of every kind; a class of theirs may be a user's data, a function may do anything. */
const PACKAGES =
  "torch torchvision torchaudio torchtext functorch numpy scipy pandas sklearn skimage tensorflow tensorboard keras jax jaxlib flax onnx onnxruntime PIL cv2 matplotlib yaml toml simplejson joblib networkx sympy h5py zarr numba " +
  "dask ray pyarrow polars xarray sqlalchemy pydantic attr attrs click typer rich tqdm six wrapt cattrs marshmallow google grpc git docker kubernetes cryptography nltk spacy gensim boto statsmodels xgboost lightgbm catboost mlflow wandb";

/** Frameworks of models: whole models hold classes and functions of theirs, and other functions of theirs load, download and run things. */
const FRAMEWORKS =
  "transformers datasets diffusers accelerate huggingface_hub safetensors peft timm gradio streamlit fastapi uvicorn langchain langchain_core langchain_community langchain_experimental llama_index llama_cpp " +
  "sentence_transformers deepspeed fairseq fairseq2 fastai fastcore allennlp detectron2 fvcore iopath mmcv mmengine mmdet ultralytics pytorch_lightning lightning lightning_fabric lightning_utilities " +
  "omegaconf hydra skops bert_score pycaret ruamel onnxscript vllm espnet speechbrain open_clip fsspec s3fs gcsfs stable_baselines3 gymnasium tokenizers sentencepiece";

/** Those that have submodules. A dotted name under another one is somebody's own folder of that name. */
const WITH_SUBMODULES = new Set(
  "collections json logging xml email encodings html curses zoneinfo tomllib re compression pathlib sysconfig string pydoc_data".split(" "),
);

const STANDARD_NAMES = new Set(STANDARD.split(" "));
const PACKAGE_NAMES = new Set(PACKAGES.split(" "));
const FRAMEWORK_NAMES = new Set(FRAMEWORKS.split(" "));

/** Whose a module is, by its first name: Python's own, a well-known package's, a framework's, or somebody's. */
export function ownerOf(module: string): "standard" | "package" | "framework" | "other" {
  const [top = module] = module.split(".", 1);
  if (STANDARD_NAMES.has(top)) return module === top || WITH_SUBMODULES.has(top) ? "standard" : "other";
  if (PACKAGE_NAMES.has(top)) return "package";
  return FRAMEWORK_NAMES.has(top) ? "framework" : "other";
}
