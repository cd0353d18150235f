/** The functions of numpy that work item by item. */
const UFUNCS =
  "abs absolute acos acosh add arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2 atanh " +
  "bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift " +
  "bitwise_xor cbrt ceil conj conjugate copysign cos cosh deg2rad degrees divide divmod equal exp exp2 expm1 fabs " +
  "float_power floor floor_divide fmax fmin fmod frexp gcd greater greater_equal heaviside hypot invert isfinite " +
  "isinf isnan isnat lcm ldexp left_shift less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and " +
  "logical_not logical_or logical_xor matmul matvec maximum minimum mod modf multiply negative nextafter " +
  "not_equal positive pow power rad2deg radians reciprocal remainder right_shift rint sign signbit sin sinh " +
  "spacing sqrt square subtract tan tanh true_divide trunc vecdot vecmat";

/**
 * Functions of numbers in numpy, scipy and scikit-learn that estimators hold, and what pandas brings its own values back with.
 *
 * Taken from numpy 2.4, scipy 1.17, scikit-learn 1.9 and pandas 3.0, with the names that older versions had.
 */
export const SCIENCE: Readonly<Record<string, string>> = {
  numpy:
    `${UFUNCS} all amax amin any argmax argmin around array asarray average clip concatenate count_nonzero cumprod cumsum diff dot hstack isin ` +
    "max mean median min nan_to_num nanmax nanmean nanmedian nanmin nanstd nansum nanvar percentile prod ptp quantile ravel reshape round sort squeeze stack std sum transpose unique var vstack where",
  "numpy.core._multiarray_umath": UFUNCS,
  "numpy._core._multiarray_umath": UFUNCS,
  "numpy.core.fromnumeric": "mean sum std var amin amax prod cumsum argmax argmin ptp clip round_ around sort",
  "numpy._core.fromnumeric": "mean sum std var amin amax prod cumsum argmax argmin ptp clip round_ around sort",
  "scipy.special":
    "expit logit log_ndtr ndtr ndtri erf erfc erfinv gammaln gamma digamma psi xlogy softmax logsumexp boxcox " +
    "inv_boxcox log1p expm1 comb factorial",
  "scipy.special._ufuncs": "expit logit log_ndtr ndtr ndtri erf erfc erfinv gammaln gamma digamma psi xlogy boxcox inv_boxcox log1p expm1",
  "sklearn.feature_selection._univariate_selection": "chi2 f_classif f_oneway f_regression r_regression",
  "sklearn.feature_selection.univariate_selection": "chi2 f_classif f_oneway f_regression r_regression",
  "sklearn.feature_selection._mutual_info": "mutual_info_classif mutual_info_regression",
  "sklearn.feature_selection.mutual_info_": "mutual_info_classif mutual_info_regression",
  "sklearn.metrics._classification":
    "accuracy_score balanced_accuracy_score brier_score_loss class_likelihood_ratios classification_report " +
    "cohen_kappa_score confusion_matrix d2_brier_score d2_log_loss_score f1_score fbeta_score hamming_loss " +
    "hinge_loss jaccard_score log_loss matthews_corrcoef multilabel_confusion_matrix " +
    "precision_recall_fscore_support precision_score recall_score zero_one_loss",
  "sklearn.metrics.classification":
    "accuracy_score balanced_accuracy_score brier_score_loss class_likelihood_ratios classification_report " +
    "cohen_kappa_score confusion_matrix d2_brier_score d2_log_loss_score f1_score fbeta_score hamming_loss " +
    "hinge_loss jaccard_score log_loss matthews_corrcoef multilabel_confusion_matrix " +
    "precision_recall_fscore_support precision_score recall_score zero_one_loss",
  "sklearn.metrics._regression":
    "d2_absolute_error_score d2_pinball_score d2_tweedie_score explained_variance_score max_error " +
    "mean_absolute_error mean_absolute_percentage_error mean_gamma_deviance mean_pinball_loss mean_poisson_deviance " +
    "mean_squared_error mean_squared_log_error mean_tweedie_deviance median_absolute_error r2_score " +
    "root_mean_squared_error root_mean_squared_log_error",
  "sklearn.metrics.regression":
    "d2_absolute_error_score d2_pinball_score d2_tweedie_score explained_variance_score max_error " +
    "mean_absolute_error mean_absolute_percentage_error mean_gamma_deviance mean_pinball_loss mean_poisson_deviance " +
    "mean_squared_error mean_squared_log_error mean_tweedie_deviance median_absolute_error r2_score " +
    "root_mean_squared_error root_mean_squared_log_error",
  "sklearn.metrics._ranking":
    "auc average_precision_score confusion_matrix_at_thresholds coverage_error dcg_score det_curve " +
    "label_ranking_average_precision_score label_ranking_loss metric_at_thresholds ndcg_score " +
    "precision_recall_curve roc_auc_score roc_curve top_k_accuracy_score",
  "sklearn.metrics.ranking":
    "auc average_precision_score confusion_matrix_at_thresholds coverage_error dcg_score det_curve " +
    "label_ranking_average_precision_score label_ranking_loss metric_at_thresholds ndcg_score " +
    "precision_recall_curve roc_auc_score roc_curve top_k_accuracy_score",
  "sklearn.metrics.pairwise":
    "additive_chi2_kernel check_paired_arrays check_pairwise_arrays chi2_kernel cosine_distances cosine_similarity " +
    "distance_metrics euclidean_distances haversine_distances kernel_metrics laplacian_kernel linear_kernel " +
    "manhattan_distances nan_euclidean_distances paired_cosine_distances paired_distances " +
    "paired_euclidean_distances paired_manhattan_distances pairwise_distances pairwise_distances_argmin " +
    "pairwise_distances_argmin_min pairwise_distances_chunked pairwise_kernels polynomial_kernel rbf_kernel " +
    "sigmoid_kernel",
  "sklearn.metrics.cluster._supervised":
    "adjusted_mutual_info_score adjusted_rand_score check_clusterings completeness_score contingency_matrix entropy " +
    "fowlkes_mallows_score homogeneity_completeness_v_measure homogeneity_score mutual_info_score " +
    "normalized_mutual_info_score pair_confusion_matrix rand_score v_measure_score",
  "sklearn.metrics.cluster.supervised":
    "adjusted_mutual_info_score adjusted_rand_score check_clusterings completeness_score contingency_matrix entropy " +
    "fowlkes_mallows_score homogeneity_completeness_v_measure homogeneity_score mutual_info_score " +
    "normalized_mutual_info_score pair_confusion_matrix rand_score v_measure_score",
  "sklearn.utils": "Bunch",
  "sklearn.utils._bunch": "Bunch",
  "sklearn.datasets.base": "Bunch",
  "sklearn.datasets._base": "Bunch",
  "sklearn.metrics._scorer": "_passthrough_scorer",
  "sklearn.metrics.scorer": "_passthrough_scorer",
  "pandas.core.indexes.interval": "_new_IntervalIndex",
  "pandas._libs.tslibs.nattype": "_nat_unpickle __nat_unpickle",
  "pandas._libs.tslibs.period": "_period_unpickle",
  "pandas.core.internals.blocks": "new_block _unpickle_block",
  "pandas._libs.arrays": "__pyx_unpickle_NDArrayBacked",
  "pandas._libs.interval": "__pyx_unpickle_IntervalMixin",
  "pandas.indexes.base": "_new_Index",
  "pandas.core.index": "_new_Index",
};
