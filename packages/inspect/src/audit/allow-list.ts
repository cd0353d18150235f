import { SCIENCE } from "./allow-science.js";
import { TORCH_MODULES } from "./allow-torch-modules.js";

/** Names of one kind, by module, and why they are harmless. */
interface Allowed {
  readonly reason: string;
  readonly names: Readonly<Record<string, string>>;
}

/** Functions of numbers. */
const ARITHMETIC = "sqrt pow exp log log2 log10 sin cos tan tanh sinh cosh asin acos atan atan2 floor ceil fabs erf gamma hypot";

/**
 * The exact names that a checkpoint may hold and be clean: each makes data, and can do nothing else whatever its arguments are. Names
 * whose effect depends on their arguments are looked at in judge-calls.ts as well, with their arguments.
 */
export const ALLOWED: readonly Allowed[] = [
  {
    reason: "makes a tensor, or names a storage, dtype or layout of one",
    names: {
      torch:
        "BFloat16Storage BoolStorage ByteStorage CharStorage ComplexDoubleStorage ComplexFloatStorage DoubleStorage FloatStorage HalfStorage IntStorage LongStorage QInt32Storage QInt8Storage QUInt2x4Storage QUInt4x2Storage QUInt8Storage ShortStorage TypedStorage UntypedStorage " +
        "bfloat16 bit bits16 bits1x8 bits2x4 bits4x2 bits8 bool cdouble cfloat chalf complex128 complex32 complex64 double float float16 float32 float4_e2m1fn_x2 float64 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu half int int1 int16 int2 int3 int32 int4 int5 int6 int64 int7 int8 long qint32 qint8 quint2x4 quint4x2 quint8 short uint1 uint16 uint2 uint3 uint32 uint4 uint5 uint6 uint64 uint7 uint8 " +
        "relu tanh sigmoid softmax log_softmax selu celu prelu abs exp add mul sum mean cat stack " +
        "BFloat16Tensor BoolTensor ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor LongTensor ShortTensor Tensor Size device dtype layout memory_format Generator ScriptObject " +
        "strided sparse_coo sparse_csr sparse_csc sparse_bsr sparse_bsc jagged contiguous_format channels_last channels_last_3d preserve_format per_tensor_affine per_channel_affine per_channel_affine_float_qparams per_tensor_symmetric per_channel_symmetric",
      "torch.cuda":
        "BFloat16Storage BoolStorage ByteStorage CharStorage ComplexDoubleStorage ComplexFloatStorage DoubleStorage FloatStorage HalfStorage IntStorage LongStorage ShortStorage BFloat16Tensor BoolTensor ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor LongTensor ShortTensor",
      "torch.storage": "TypedStorage UntypedStorage _TypedStorage _UntypedStorage _load_from_bytes",
      "torch._utils":
        "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter _rebuild_parameter_v2 _rebuild_parameter_with_state _rebuild_qtensor _rebuild_sparse_tensor _rebuild_sparse_csr_tensor _rebuild_nested_tensor _rebuild_meta_tensor_no_storage _rebuild_device_tensor_from_numpy _rebuild_device_tensor_from_cpu_tensor _rebuild_xla_tensor _rebuild_wrapper_subclass",
      "torch._tensor": "Tensor _rebuild_from_type_v2 _rebuild_from_type",
      "torch.tensor": "Tensor _rebuild_from_type_v2 _rebuild_from_type",
      "torch.nn.parameter": "Parameter UninitializedParameter Buffer UninitializedBuffer",
      "torch.serialization": "_get_layout _get_dtype",
      "torch.torch_version": "TorchVersion",
      "torch._C": "Generator _VariableFunctionsClass",
      "torch._C._nn": "gelu silu hardtanh leaky_relu elu log_sigmoid softplus softshrink mish hardswish hardsigmoid relu6 linear",
      "torch._C._VariableFunctions": "relu tanh sigmoid softmax log_softmax selu celu prelu rrelu dropout",
      "torch.backends.cudnn.rnn": "Unserializable",
      "torch.jit._pickle": "build_intlist build_tensorlist build_doublelist build_boollist build_tensor_from_id restore_type_tag",
      "torch.nn.backends.thnn": "_get_thnn_function_backend",
    },
  },
  { reason: "is a layer, function, initialiser or optimizer of torch: arithmetic only", names: TORCH_MODULES },
  { reason: "is arithmetic on arrays, or makes a plain value of a scientific package", names: SCIENCE },
  {
    reason: "puts samples together",
    names: {
      "torch.utils.data._utils.collate": "default_collate default_convert",
      "torch.utils.data.dataloader": "default_collate default_convert",
    },
  },
  {
    reason: "describes a distributed checkpoint or tensor",
    names: {
      "torch.distributed.checkpoint.metadata":
        "Metadata TensorStorageMetadata TensorProperties ChunkStorageMetadata BytesStorageMetadata MetadataIndex StorageMeta _MEM_FORMAT_ENCODING",
      "torch.distributed.checkpoint.filesystem": "_StorageInfo _StoragePrefix",
      "torch.distributed.tensor": "DTensor Shard Replicate Partial",
      "torch.distributed.tensor._dtensor_spec": "DTensorSpec TensorMeta",
      "torch.distributed.tensor.placement_types": "Shard Replicate Partial _StridedShard",
      "torch.distributed._tensor": "DTensor",
      "torch.distributed._tensor.api": "DTensor",
      "torch.distributed.tensor._api": "DTensor",
      "torch.distributed._tensor.placement_types": "Shard Replicate Partial _Partial DTensorSpec TensorMeta",
      "torch.distributed.device_mesh": "DeviceMesh",
      "torch.distributed._mesh_layout": "_MeshLayout",
    },
  },
  {
    reason: "makes a numpy array, number or type",
    names: {
      numpy:
        "dtype ndarray bool_ bool8 int8 int16 int32 int64 intc int_ uint8 uint16 uint32 uint64 float16 float32 float64 longdouble complex64 complex128 str_ bytes_ void object_ datetime64 timedelta64 matrix recarray record finfo iinfo",
      "numpy.core.multiarray": "_reconstruct scalar",
      "numpy._core.multiarray": "_reconstruct scalar",
      "numpy.rec": "recarray record",
      "numpy.core.records": "recarray record",
      "numpy._core.records": "recarray record",
      "numpy.core.numeric": "_frombuffer",
      "numpy._core.numeric": "_frombuffer",
      "numpy.dtypes":
        "BoolDType Int8DType Int16DType Int32DType Int64DType UInt8DType UInt16DType UInt32DType UInt64DType Float16DType Float32DType Float64DType LongDoubleDType Complex64DType Complex128DType StrDType BytesDType VoidDType ObjectDType DateTime64DType TimeDelta64DType",
      "numpy.ma.core": "_mareconstruct MaskedArray MaskedConstant",
      "numpy.matrixlib.defmatrix": "matrix",
      "numpy.random": "RandomState Generator __RandomState_ctor",
      "numpy.core": "_DType_reconstruct _ufunc_reconstruct",
      "numpy._core": "_DType_reconstruct _ufunc_reconstruct",
      "numpy.random._pickle": "__randomstate_ctor __generator_ctor __bit_generator_ctor",
      "numpy.random.mtrand": "RandomState",
      "numpy.random._generator": "Generator",
      "numpy.random._mt19937": "MT19937",
      "numpy.random._pcg64": "PCG64 PCG64DXSM",
      "numpy.random._philox": "Philox",
      "numpy.random._sfc64": "SFC64",
      "numpy.random.bit_generator": "SeedSequence __pyx_unpickle_SeedSequence",
      "joblib.numpy_pickle": "NumpyArrayWrapper NDArrayWrapper ZNDArrayWrapper",
      "sklearn.externals.joblib.numpy_pickle": "NumpyArrayWrapper NDArrayWrapper ZNDArrayWrapper",
      "scipy.sparse._csr": "csr_matrix csr_array",
      "scipy.sparse._csc": "csc_matrix csc_array",
      "scipy.sparse._coo": "coo_matrix coo_array",
      "scipy.sparse._bsr": "bsr_matrix bsr_array",
      "scipy.sparse._dia": "dia_matrix dia_array",
      "scipy.sparse._dok": "dok_matrix dok_array",
      "scipy.sparse._lil": "lil_matrix lil_array",
      "scipy.interpolate._interpolate": "interp1d",
      "scipy.interpolate.interpolate": "interp1d",
      "scipy.stats._distn_infrastructure": "rv_frozen rv_continuous_frozen rv_discrete_frozen",
      "pandas._libs.internals": "_unpickle_block",
      "pandas._libs.tslibs.timestamps": "_unpickle_timestamp",
      "pandas._libs.tslibs.timedeltas": "_timedelta_unpickle",
      "pandas.core.indexes.base": "_new_Index",
      "pandas.core.indexes.datetimes": "_new_DatetimeIndex",
      "pandas.core.indexes.period": "_new_PeriodIndex",
      "scipy.sparse.csr": "csr_matrix",
      "scipy.sparse.csc": "csc_matrix",
      "scipy.sparse.coo": "coo_matrix",
    },
  },
  {
    reason: "makes a plain value or collection of Python",
    names: {
      builtins:
        "object int float complex bool str bytes bytearray list tuple dict set frozenset slice range Ellipsis NotImplemented NoneType type getattr " +
        "Exception ValueError TypeError KeyError IndexError RuntimeError KeyboardInterrupt StopIteration AttributeError NotImplementedError AssertionError FileNotFoundError OSError MemoryError abs round sum min max len sorted all any divmod enumerate zip reversed",
      _codecs: "encode",
      copyreg: "_reconstructor __newobj__ __newobj_ex__",
      collections: "OrderedDict defaultdict Counter deque ChainMap UserDict UserList UserString",
      datetime: "date datetime time timedelta timezone",
      decimal: "Decimal",
      _decimal: "Decimal",
      fractions: "Fraction",
      uuid: "UUID SafeUUID",
      pathlib: "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath",
      "pathlib._local": "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath",
      re: "_compile RegexFlag",
      types: "SimpleNamespace MappingProxyType NoneType EllipsisType NotImplementedType GenericAlias",
      argparse: "Namespace",
      logging: "getLogger",
      inspect: "_empty _ParameterKind Parameter Signature",
      itertools: "count repeat cycle",
      time: "struct_time",
      // `typing.List[int]` is written as operator.getitem(typing.List, int): judge-calls.ts allows no other use of getitem.
      operator: "getitem add sub mul truediv floordiv mod neg pos eq ne lt le gt ge and_ or_ xor not_",
      _operator: "getitem add sub mul truediv floordiv mod neg pos eq ne lt le gt ge and_ or_ xor not_",
      functools: "partial",
      random: "Random",
      enum: "Enum IntEnum Flag IntFlag StrEnum",
      array: "_array_reconstructor array",
      io: "BytesIO StringIO",
      _io: "BytesIO StringIO",
      ipaddress: "IPv4Address IPv6Address IPv4Network IPv6Network IPv4Interface IPv6Interface",
      contextlib: "nullcontext",
      math: ARITHMETIC,
      typing: "Any Union Optional List Dict Tuple Set Callable Literal Sequence Mapping Iterable",
      // Reads data of a time zone by its key, which may not lead out of their folder (zoneinfo/_tzpath.py, _validate_path).
      zoneinfo: "ZoneInfo ZoneInfo._unpickle",
      dataclasses: "_MISSING_TYPE _HAS_DEFAULT_FACTORY_CLASS",
    },
  },
  {
    reason: "is a setting or callback of Lightning, OmegaConf or Anemoi that only holds values",
    names: {
      "pytorch_lightning.callbacks.model_checkpoint": "ModelCheckpoint",
      "pytorch_lightning.callbacks.early_stopping": "EarlyStopping",
      "pytorch_lightning.callbacks.lr_monitor": "LearningRateMonitor",
      "pytorch_lightning.callbacks.stochastic_weight_avg": "StochasticWeightAveraging",
      "pytorch_lightning.callbacks.timer": "Timer",
      "pytorch_lightning.utilities.parsing": "AttributeDict",
      "pytorch_lightning.utilities.argparse": "_gpus_arg_default",
      "pytorch_lightning.utilities.argparse_utils": "_gpus_arg_default",
      "pytorch_lightning.utilities.enums": "_FaultTolerantMode GradClipAlgorithmType AMPType PrecisionType LightningEnum",
      "pytorch_lightning.loops.utilities": "_FaultTolerantMode",
      "lightning.pytorch.callbacks.model_checkpoint": "ModelCheckpoint",
      "lightning.pytorch.callbacks.early_stopping": "EarlyStopping",
      "lightning.pytorch.callbacks.lr_monitor": "LearningRateMonitor",
      "lightning.pytorch.callbacks.stochastic_weight_avg": "StochasticWeightAveraging",
      "lightning.pytorch.callbacks.timer": "Timer",
      "lightning.pytorch.utilities.parsing": "AttributeDict",
      "lightning.fabric.utilities.data": "AttributeDict",
      "lightning_fabric.utilities.data": "AttributeDict",
      "lightning_fabric.utilities.enums": "LightningEnum",
      "omegaconf.dictconfig": "DictConfig",
      "omegaconf.listconfig": "ListConfig",
      "omegaconf.base": "Metadata ContainerMetadata Container Node SCMode",
      "omegaconf.nodes": "AnyNode IntegerNode FloatNode BooleanNode StringNode BytesNode PathNode EnumNode ValueNode UnionNode",
    },
  },
];

const BY_NAME: ReadonlyMap<string, string> = new Map(
  ALLOWED.flatMap(({ reason, names }) =>
    Object.entries(names).flatMap(([module, list]) => list.split(" ").map((name) => [`${module} ${name}`, reason] as const)),
  ),
);

/** Why an exact name is harmless; undefined when it is not on the list. Names are those of Python 3. */
export const allowedBecause = (module: string, name: string): string | undefined => BY_NAME.get(`${module} ${name}`);

/** Every allowed name, as [module, name, reason]. */
export const allowedNames = (): [module: string, name: string, reason: string][] =>
  [...BY_NAME].map(([key, reason]) => {
    const [module = "", name = ""] = key.split(" ");
    return [module, name, reason];
  });
