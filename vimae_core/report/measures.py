"""What each number of a record means, in which unit: for whoever reads a record and not the code that measured it."""

BAND = "% quantile of it where q(z) is p(z)"
SAMPLES = {
    "prior": "samples of p(z)",
    "aggregate": "samples of q(z)",
    "real": "training images",
}
PRECISION = {
    "precision": ("", "share of {of} among the test images"),
    "recall": ("", "share of test images among {of}"),
}

SCORES = {
    "n": ("", "test images"),
    "fitted": ("", "training images from which DCI's forests learn"),
    "mig": ("", "mutual information gap, bins equally filled"),
    "mig_equal_wide": ("", "the same with bins equally wide"),
    "sap": ("", "separated attribute predictability"),
    "disentanglement": ("", "of DCI: each coordinate for one factor"),
    "completeness": ("", "of DCI: each factor in one coordinate"),
    "informativeness": ("", "of DCI: R² of the factors from the codes"),
    "factor_vae": ("", "FactorVAE score, accuracy of its majority vote"),
}


def _of_samples(by_name: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    return {
        f"{sample}_{name}": (unit, meaning.format(of=of))
        for sample, of in SAMPLES.items()
        for name, (unit, meaning) in by_name.items()
    }


def _with_errors(numbers: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    return numbers | {f"{name}_error": (unit, f"standard error of {name}") for name, (unit, _) in numbers.items()}


# measure -> name -> (unit, meaning); the functions of these names in vimae_core/evaluation say how each is computed
MEANINGS: dict[str, dict[str, tuple[str, str]]] = {
    "latent_fit": {
        "n": ("", "test images"),
        "mmd2": ("", "squared MMD of q(z) and p(z), Eq. (15)"),
        "mmd2_null_low": ("", f"2.5 {BAND}"),
        "mmd2_null_high": ("", f"97.5 {BAND}"),
        "kl": ("nats", "KL divergence of q(z) from p(z), by neighbours; too low beyond a few coordinates"),
        "kl_train": ("nats", "the same of as many training images"),
        "kl_null_low": ("nats", f"2.5 {BAND}"),
        "kl_null_high": ("nats", f"97.5 {BAND}"),
        "latent_std": ("", "standard deviation of the codes, root mean square"),
        "posterior_std": ("", "standard deviation of q(z|x), root mean square"),
        "rate": ("nats", "KL divergence of q(z|x) from p(z), an image"),
        "distortion": ("nats", "−log p(x|z) under the run's own likelihood, an image"),
        "squared_error": ("", "squared error an image, pixels in [0, 1]"),
        "constraint_met": ("", "whether these codes meet the tolerance by which λ was found"),
    },
    "batches": {
        "batches": ("", "batches of the training's size, of test images"),
        "mmd2_in_batches": ("", "squared MMD within batches, mean, with the batches' own moments"),
        "mmd2_in_batches_error": ("", "its standard error"),
        "mmd2_pooled": ("", "squared MMD of the same codes pooled"),
        "fixed_in_batches": ("", "squared MMD within batches, mean, with the fixed moments of evaluation"),
        "fixed_in_batches_error": ("", "its standard error"),
        "fixed_pooled": ("", "squared MMD of those codes pooled"),
    },
    "probes": {
        "n": ("", "test images"),
        "draws": ("", "of labels, in the order of the values below"),
        "fractions": ("", "whence the transductive SVM has its classes' fractions"),
        "chosen": ("", "the SVM's C and γ, of each draw"),
        "accuracy": ("%", "of each classifier; a value a draw of labels"),
    },
    "generation": {
        "n": ("", "test images, and as many samples"),
        "reconstruction_error": ("", "squared error an image, pixels in [0, 1]"),
        "pca_error": ("", "the same by as many principal components"),
        "corrupted_error": ("", "of reconstructions of corrupted images, from the clean ones"),
        "corrupted_input_error": ("", "of the corrupted images themselves"),
        "corrupted_pca_error": ("", "of corrupted images by principal components"),
        "label_kept": ("%", "of reconstructions, by the digit network's class"),
        "original_label_kept": ("%", "of the test images themselves"),
        "corrupted_label_kept": ("%", "of reconstructions of corrupted images"),
        "corrupted_input_label_kept": ("%", "of the corrupted images themselves"),
        **_of_samples({"frechet": ("", "Fréchet distance of {of} from test images"), **PRECISION}),
    },
    "faces": {
        "n": ("", "test pictures, and as many samples"),
        "features": ("", "the network that describes pictures"),
        "title": ("", "what the distance is"),
        "reconstruction_error": ("", "squared error a picture, pixels in [0, 1]"),
        "reconstruction_sharpness": ("", "variance of the Laplacian of reconstructions"),
        "test_sharpness": ("", "the same of the test pictures"),
        "ladder": ("", "distance of training pictures made worse in this way"),
        "codes": ("", "posterior means of the first test pictures, one a row"),
        **_of_samples({
            "distance": ("", "Fréchet distance of {of} from test pictures"),
            "extrapolated": ("", "the same for infinitely many of both"),
            "kernel": ("", "kernel distance of {of} from test pictures"),
            "kernel_deviation": ("", "its standard deviation over subsets"),
            "sharpness": ("", "variance of the Laplacian of {of}"),
            **PRECISION,
        }),
    },
    "disentanglement": {
        "live": ("", "coordinates that have not collapsed, which vote in the FactorVAE score"),
        **SCORES,
        "gaps": ("", "the factor's information gap"),
        "explained": ("", "R² of the factor"),
    },
    "disentanglement_floors": SCORES,
    "drawn_codes": {"codes": ("", "draws of q(z|x) of training images, one a row")},
    "information": {
        "n": ("", "test images"),
        "images": ("", "training images in the mixture"),
        "active": ("", "coordinates whose means vary over images"),
        "ceiling": ("nats", "log of the mixture's images, its own among them: more the information cannot be"),
        **_with_errors({
            "distortion": ("nats", "−log p(x|z) under the run's own likelihood, an image"),
            "rate": ("nats", "KL divergence of q(z|x) from p(z), an image"),
            "information": ("nats", "mutual information of image and code, from below"),
            "information_above": ("nats", "the same, from above"),
            "kl": ("nats", "KL divergence of q(z) from p(z), from above"),
            "kl_below": ("nats", "the same, from below"),
            "entropy": ("nats", "of q(z), from below"),
            "entropy_above": ("nats", "the same, from above"),
        }),
    },
}  # fmt: skip

# Terms of the loss, as a run's history has them
TERMS = {
    "loss": "loss, nats an image",
    "distortion": "distortion, nats an image",
    "rate": "rate, nats an image",
    "divergence": "divergence: squared MMD, or if adversarial Jensen–Shannon, nats",
    "lambda": "λ, weight of the divergence",
    "pretraining": "pretraining's loss",
}
