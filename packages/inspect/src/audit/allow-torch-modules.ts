/**
 * Layers, activations, losses, initialisers, optimizers and schedulers of torch, by module: what a model that was saved whole is made of.
 * Taken from torch 2.13, with modules that older versions had. Making or filling one of them runs torch's own arithmetic only.
 *
 * @see https://github.com/pytorch/pytorch torch/nn, torch/optim, torch/ao/nn
 */
export const TORCH_MODULES: Readonly<Record<string, string>> = {
  "torch.ao.nn.intrinsic.modules.fused":
    "BNReLU2d BNReLU3d ConvAdd2d ConvAddReLU2d ConvBn1d ConvBn2d ConvBn3d ConvBnReLU1d ConvBnReLU2d ConvBnReLU3d ConvReLU1d " +
    "ConvReLU2d ConvReLU3d LinearBn1d LinearLeakyReLU LinearReLU LinearTanh _FusedModule",
  "torch.ao.nn.intrinsic.qat.modules.conv_fused":
    "ConvBn1d ConvBn2d ConvBn3d ConvBnReLU1d ConvBnReLU2d ConvBnReLU3d ConvReLU1d ConvReLU2d ConvReLU3d _ConvBnNd",
  "torch.ao.nn.intrinsic.qat.modules.linear_fused": "LinearBn1d",
  "torch.ao.nn.intrinsic.qat.modules.linear_relu": "LinearReLU",
  "torch.ao.nn.intrinsic.quantized.dynamic.modules.linear_relu": "LinearReLU",
  "torch.ao.nn.intrinsic.quantized.modules.bn_relu": "BNReLU2d BNReLU3d",
  "torch.ao.nn.intrinsic.quantized.modules.conv_add": "ConvAdd2d ConvAddReLU2d",
  "torch.ao.nn.intrinsic.quantized.modules.conv_relu": "ConvReLU1d ConvReLU2d ConvReLU3d",
  "torch.ao.nn.intrinsic.quantized.modules.linear_relu": "LinearLeakyReLU LinearReLU LinearTanh",
  "torch.ao.nn.qat.dynamic.modules.linear": "Linear",
  "torch.ao.nn.qat.modules.conv": "Conv1d Conv2d Conv3d _ConvNd",
  "torch.ao.nn.qat.modules.embedding_ops": "Embedding EmbeddingBag",
  "torch.ao.nn.qat.modules.linear": "Linear",
  "torch.ao.nn.quantizable.modules.activation": "MultiheadAttention",
  "torch.ao.nn.quantizable.modules.rnn": "LSTM LSTMCell _LSTMLayer _LSTMSingleLayer",
  "torch.ao.nn.quantized.dynamic.modules.conv": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d",
  "torch.ao.nn.quantized.dynamic.modules.linear": "Linear",
  "torch.ao.nn.quantized.dynamic.modules.rnn": "GRU GRUCell LSTM LSTMCell PackedParameter RNNBase RNNCell RNNCellBase",
  "torch.ao.nn.quantized.modules": "DeQuantize Quantize",
  "torch.ao.nn.quantized.modules.activation": "ELU Hardswish LeakyReLU MultiheadAttention PReLU ReLU6 Sigmoid Softmax",
  "torch.ao.nn.quantized.modules.batchnorm": "BatchNorm2d BatchNorm3d _BatchNorm",
  "torch.ao.nn.quantized.modules.conv": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d _ConvNd _ConvTransposeNd",
  "torch.ao.nn.quantized.modules.dropout": "Dropout",
  "torch.ao.nn.quantized.modules.embedding_ops": "Embedding EmbeddingBag EmbeddingPackedParams",
  "torch.ao.nn.quantized.modules.functional_modules": "FXFloatFunctional FloatFunctional QFunctional",
  "torch.ao.nn.quantized.modules.linear": "Linear LinearPackedParams",
  "torch.ao.nn.quantized.modules.normalization": "GroupNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d LayerNorm",
  "torch.ao.nn.quantized.modules.rnn": "LSTM",
  "torch.ao.nn.quantized.modules.utils": "WeightedQuantizedModule",
  "torch.ao.nn.quantized.reference.modules.conv":
    "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d _ConvNd _ConvTransposeNd",
  "torch.ao.nn.quantized.reference.modules.linear": "Linear",
  "torch.ao.nn.quantized.reference.modules.rnn": "GRU GRUCell LSTM LSTMCell RNNBase RNNCell RNNCellBase",
  "torch.ao.nn.quantized.reference.modules.sparse": "Embedding EmbeddingBag",
  "torch.ao.nn.quantized.reference.modules.utils": "ReferenceQuantizedModule",
  "torch.ao.nn.sparse.quantized.dynamic.linear": "Linear",
  "torch.ao.nn.sparse.quantized.linear": "Linear LinearPackedParams",
  "torch.nn.functional":
    "adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool1d_with_indices adaptive_max_pool2d " +
    "adaptive_max_pool2d_with_indices adaptive_max_pool3d adaptive_max_pool3d_with_indices affine_grid alpha_dropout " +
    "assert_int_or_pair batch_norm binary_cross_entropy binary_cross_entropy_with_logits celu cosine_embedding_loss " +
    "cross_entropy ctc_loss dropout dropout1d dropout2d dropout3d elu embedding embedding_bag feature_alpha_dropout fold " +
    "fractional_max_pool2d fractional_max_pool2d_with_indices fractional_max_pool3d fractional_max_pool3d_with_indices " +
    "gaussian_nll_loss glu grid_sample group_norm grouped_mm gumbel_softmax hardsigmoid hardswish hardtanh " +
    "hinge_embedding_loss huber_loss instance_norm interpolate kl_div l1_loss layer_norm leaky_relu linear_cross_entropy " +
    "local_response_norm log_softmax lp_pool1d lp_pool2d lp_pool3d margin_ranking_loss max_pool1d max_pool1d_with_indices " +
    "max_pool2d max_pool2d_with_indices max_pool3d max_pool3d_with_indices max_unpool1d max_unpool2d max_unpool3d mish " +
    "mse_loss multi_head_attention_forward multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss nll_loss " +
    "normalize pad poisson_nll_loss relu relu6 rms_norm rrelu scaled_grouped_mm scaled_mm selu sigmoid silu smooth_l1_loss " +
    "soft_margin_loss softmax softmin softsign tanh tanhshrink threshold triplet_margin_loss " +
    "triplet_margin_with_distance_loss unfold upsample upsample_bilinear upsample_nearest",
  "torch.nn.init":
    "calculate_gain constant constant_ dirac dirac_ eye eye_ kaiming_normal kaiming_normal_ kaiming_uniform " +
    "kaiming_uniform_ normal normal_ ones_ orthogonal orthogonal_ sparse sparse_ trunc_normal_ uniform uniform_ " +
    "xavier_normal xavier_normal_ xavier_uniform xavier_uniform_ zeros_",
  "torch.nn.modules.activation":
    "CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid LogSoftmax Mish MultiheadAttention " +
    "PReLU RReLU ReLU ReLU6 SELU SiLU Sigmoid Softmax Softmax2d Softmin Softplus Softshrink Softsign Tanh Tanhshrink " +
    "Threshold",
  "torch.nn.modules.adaptive": "AdaptiveLogSoftmaxWithLoss",
  "torch.nn.modules.batchnorm":
    "BatchNorm1d BatchNorm2d BatchNorm3d LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d SyncBatchNorm _BatchNorm " +
    "_LazyNormBase _NormBase",
  "torch.nn.modules.channelshuffle": "ChannelShuffle",
  "torch.nn.modules.container": "Container ModuleDict ModuleList ParameterDict ParameterList Sequential",
  "torch.nn.modules.conv":
    "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d LazyConv1d LazyConv2d LazyConv3d " +
    "LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d _ConvNd _ConvTransposeMixin _ConvTransposeNd",
  "torch.nn.modules.distance": "CosineSimilarity PairwiseDistance",
  "torch.nn.modules.dropout": "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout _DropoutNd",
  "torch.nn.modules.flatten": "Flatten Unflatten",
  "torch.nn.modules.fold": "Fold Unfold",
  "torch.nn.modules.instancenorm":
    "InstanceNorm1d InstanceNorm2d InstanceNorm3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d _InstanceNorm",
  "torch.nn.modules.linear": "Bilinear Identity LazyLinear Linear NonDynamicallyQuantizableLinear",
  "torch.nn.modules.loss":
    "BCELoss BCEWithLogitsLoss CTCLoss CosineEmbeddingLoss CrossEntropyLoss GaussianNLLLoss HingeEmbeddingLoss HuberLoss " +
    "KLDivLoss L1Loss LinearCrossEntropyLoss MSELoss MarginRankingLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss " +
    "MultiMarginLoss NLLLoss NLLLoss2d PoissonNLLLoss SmoothL1Loss SoftMarginLoss TripletMarginLoss " +
    "TripletMarginWithDistanceLoss _Loss _WeightedLoss",
  "torch.nn.modules.module": "Module",
  "torch.nn.modules.normalization": "CrossMapLRN2d GroupNorm LayerNorm LocalResponseNorm RMSNorm",
  "torch.nn.modules.padding":
    "CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d ReflectionPad1d ReflectionPad2d " +
    "ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d ZeroPad1d ZeroPad2d ZeroPad3d _CircularPadNd " +
    "_ConstantPadNd _ReflectionPadNd _ReplicationPadNd",
  "torch.nn.modules.pixelshuffle": "PixelShuffle PixelUnshuffle",
  "torch.nn.modules.pooling":
    "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d AvgPool1d " +
    "AvgPool2d AvgPool3d FractionalMaxPool2d FractionalMaxPool3d LPPool1d LPPool2d LPPool3d MaxPool1d MaxPool2d MaxPool3d " +
    "MaxUnpool1d MaxUnpool2d MaxUnpool3d _AdaptiveAvgPoolNd _AdaptiveMaxPoolNd _AvgPoolNd _LPPoolNd _MaxPoolNd _MaxUnpoolNd",
  "torch.nn.modules.rnn": "GRU GRUCell LSTM LSTMCell RNN RNNBase RNNCell RNNCellBase",
  "torch.nn.modules.sparse": "Embedding EmbeddingBag",
  "torch.nn.modules.transformer": "Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer",
  "torch.nn.modules.upsampling": "Upsample UpsamplingBilinear2d UpsamplingNearest2d",
  "torch.nn.parallel": "DistributedDataParallelCPU",
  "torch.nn.parallel.data_parallel": "DataParallel",
  "torch.nn.parallel.distributed": "DistributedDataParallel",
  "torch.nn.utils.parametrizations": "_Orthogonal _SpectralNorm _WeightNorm",
  "torch.nn.utils.parametrize": "ParametrizationList",
  "torch.optim": "Adafactor Muon",
  "torch.optim.adadelta": "Adadelta",
  "torch.optim.adagrad": "Adagrad",
  "torch.optim.adam": "Adam",
  "torch.optim.adamax": "Adamax",
  "torch.optim.adamw": "AdamW",
  "torch.optim.asgd": "ASGD",
  "torch.optim.lbfgs": "LBFGS",
  "torch.optim.lr_scheduler":
    "ChainedScheduler ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR ExponentialLR LRScheduler LambdaLR " +
    "LinearLR MultiStepLR MultiplicativeLR OneCycleLR PolynomialLR ReduceLROnPlateau SequentialLR StepLR _LRScheduler",
  "torch.optim.nadam": "NAdam",
  "torch.optim.optimizer": "Optimizer",
  "torch.optim.radam": "RAdam",
  "torch.optim.rmsprop": "RMSprop",
  "torch.optim.rprop": "Rprop",
  "torch.optim.sgd": "SGD",
  "torch.optim.sparse_adam": "SparseAdam",
};
