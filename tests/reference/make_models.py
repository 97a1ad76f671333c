"""Expected values for `tests/library/reference_models.rs`: see README.md, "Models".

usage: make_models.py [FAMILY ...]    (all families by default; rewrites models/FAMILY.json)
"""
import json
import math
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors import safe_open
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

HERE = Path(__file__).parent / "models"
VOCABULARY = 384
SPECIAL = [f"<|{n}|>" for n in range(64)]
PROMPT = "Ava has 37 pens.\n\nShe buys 4 boxes 😀 三 of 12. How many?\n\n"
READ = "So 37 + 48 = 85 pens – 八十五 🎉.\n\n"
FOREIGN = "4 × 12 = 48 🚀\n\n"
LONG = "Ben has 5 bags of 3 pens, so 5 × 3 = 15.\n"
WRITTEN = 48
# A smaller difference between the two most probable tokens could be decided by rounding.
LEAST_GAP = 0.002


# --- tokenizers ---------------------------------------------------------------------------------

CORPUS = [PROMPT, READ, LONG, "Answer: the pens of each box are 12 more than those of the bags.\n\n"] * 8


def with_special(tokenizer):
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIAL])
    return tokenizer


def byte_level():
    """Qwen, Llama 3, DeepSeek, SmolLM, GLM, StarCoder: byte-level BPE."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return with_special(tokenizer)


def pieces(prepend):
    """Llama 2, Mistral, Phi-3 (`prepend`) and Gemma: pieces with "▁" for a space, and bytes for unknown characters."""
    bytes_ = [f"<0x{n:02X}>" for n in range(256)]
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    spaces = normalizers.Replace(" ", "▁")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), spaces]) if prepend else spaces
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(SPECIAL),
        special_tokens=["<unk>", *bytes_],
        limit_alphabet=40,
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    state = json.loads(tokenizer.to_str())
    state["pre_tokenizer"] = None
    state["added_tokens"] = [a for a in state["added_tokens"] if not a["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(state))
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence(parts + [decoders.Strip(" ", 1, 0)] * prepend)
    return with_special(tokenizer)


def tokenizer(kind):
    """The tokenizer in models/KIND.tokenizer.json, made if it is missing."""
    path = HERE / f"{kind}.tokenizer.json"
    if not path.exists():
        made = {"bytes": byte_level, "pieces": lambda: pieces(True), "gemma": lambda: pieces(False)}[kind]()
        assert made.get_vocab_size() <= VOCABULARY, (kind, made.get_vocab_size())
        path.write_text(json.dumps(json.loads(made.to_str()), ensure_ascii=False, separators=(",", ":")) + "\n")
    return Tokenizer.from_file(str(path))


# --- weights ------------------------------------------------------------------------------------

MASK = (1 << 64) - 1


def weights(name, shape, seed, scale, offset):
    """`offset` plus uniform numbers in [-scale, scale): SplitMix64, seeded with the FNV-1a hash of the name."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = ((state ^ byte) * 0x100000001B3) & MASK
    n = np.arange(1, math.prod(shape) + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z = np.uint64(state ^ seed) + n * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    unit = (z >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1.0)
    return (unit * np.float32(scale) + np.float32(offset)).reshape(shape)


def scale_and_offset(name, shape, config):
    """Scales that make neither a constant nor a uniform distribution."""
    gemma = config.model_type.startswith("gemma")
    root3 = math.sqrt(3)
    if "norm" in name and not name.endswith("bias"):
        if gemma:
            return (0.3, 4.0) if name == "model.norm.weight" else (0.3, 0.0)
        return 0.3, 1.0
    if len(shape) == 1:
        return 0.5, 0.0
    if "embed" in name:
        std = 0.06 if gemma else 0.3 if config.tie_word_embeddings else 1.0
    elif "lm_head" in name:
        std = 2.5 / math.sqrt(shape[-1])
    else:
        std = 1.5 / math.sqrt(shape[-1])
    return float(np.float32(round(std * root3, 4))), 0.0


# --- families -----------------------------------------------------------------------------------


def llama3_rope(factor):
    return dict(
        rope_theta=500000.0,
        rope_scaling=dict(
            rope_type="llama3",
            factor=factor,
            low_freq_factor=1.0,
            high_freq_factor=4.0,
            original_max_position_embeddings=64,
        ),
    )


def base(**more):
    return dict(
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        rope_theta=10000.0,
        rope_scaling=None,
        rms_norm_eps=1e-6,
        tie_word_embeddings=False,
    ) | more


def families():
    """Name -> (tokenizer, config.json as on the hub)."""
    one = lambda kind, architecture, **more: (kind, dict(architectures=[architecture], **base(**more)))
    # As in Qwen2.5-Math and R1-Distill-Qwen: the window is not used.
    unused = dict(sliding_window=48, use_sliding_window=False, max_window_layers=21)
    return {
        "llama3": one("bytes", "LlamaForCausalLM", tie_word_embeddings=True, **llama3_rope(32.0)),
        "r1-llama": one("bytes", "LlamaForCausalLM", hidden_size=96, num_attention_heads=6, **llama3_rope(8.0)),
        "smollm2": one("bytes", "LlamaForCausalLM", tie_word_embeddings=True, max_position_embeddings=256),
        "llama2": one("pieces", "LlamaForCausalLM", num_key_value_heads=4),
        "qwen2": one("bytes", "Qwen2ForCausalLM", tie_word_embeddings=True, rope_theta=1e6),
        "qwen2-math": one("bytes", "Qwen2ForCausalLM", tie_word_embeddings=True, **unused),
        "r1-qwen": one("bytes", "Qwen2ForCausalLM", max_position_embeddings=300, **unused),
        "qwen3": one("bytes", "Qwen3ForCausalLM", tie_word_embeddings=True, head_dim=32, rope_theta=1e6,
                     attention_bias=False, **(unused | dict(sliding_window=None, max_window_layers=3))),
        "qwen3-large": one("bytes", "Qwen3ForCausalLM", hidden_size=96, head_dim=32, rope_theta=1e6,
                           attention_bias=False, **(unused | dict(sliding_window=None, max_window_layers=3))),
        "mistral": one("pieces", "MistralForCausalLM", head_dim=16, sliding_window=None),
        "mistral-window": one("pieces", "MistralForCausalLM", head_dim=16, sliding_window=256),
        "mixtral": one("pieces", "MixtralForCausalLM", num_local_experts=4, num_experts_per_tok=2,
                       sliding_window=None),
        "gemma": one("gemma", "GemmaForCausalLM", head_dim=32, tie_word_embeddings=True, attention_bias=False,
                     hidden_activation="gelu_pytorch_tanh"),
        "gemma2": one("gemma", "Gemma2ForCausalLM", head_dim=32, tie_word_embeddings=True, sliding_window=256,
                      query_pre_attn_scalar=24, final_logit_softcapping=30.0, attn_logit_softcapping=50.0,
                      attention_bias=False, hidden_activation="gelu_pytorch_tanh"),
        "phi3": one("pieces", "Phi3ForCausalLM", sliding_window=400, original_max_position_embeddings=512,
                    pad_token_id=0),
        "phi3-longrope": one("pieces", "Phi3ForCausalLM", sliding_window=None, original_max_position_embeddings=256,
                             pad_token_id=0, rope_scaling=dict(
                                 type="longrope", short_factor=[1.0 + i / 10 for i in range(8)],
                                 long_factor=[2.0 + i / 5 for i in range(8)])),
        "smollm3": one("bytes", "SmolLM3ForCausalLM", tie_word_embeddings=True, rope_theta=2e6, pad_token_id=0,
                       num_hidden_layers=4, no_rope_layers=[1, 1, 1, 0], no_rope_layer_interval=4,
                       use_sliding_window=False, sliding_window=None, attention_bias=False, mlp_bias=False),
        "glm4": one("bytes", "Glm4ForCausalLM", head_dim=16, partial_rotary_factor=0.5, attention_bias=True,
                    pad_token_id=0),
        "starcoder2": one("bytes", "Starcoder2ForCausalLM", sliding_window=None, tie_word_embeddings=True,
                          use_bias=True, norm_epsilon=1e-5, hidden_act="gelu_pytorch_tanh"),
    }


# --- expected values ----------------------------------------------------------------------------


def rounded(values):
    return [round(float(v), 5) for v in values]


@torch.no_grad()
def distributions(model, ids):
    return model(torch.tensor([ids]), use_cache=False).logits[0].double().log_softmax(-1)


def statistics(model, prefix, ids):
    """Log-probabilities and entropies of `ids` after `prefix`."""
    at = distributions(model, prefix + ids)[len(prefix) - 1 : -1]
    chosen = at[torch.arange(len(ids)), torch.tensor(ids)]
    return dict(logprobs=rounded(chosen), entropies=rounded(-(at.exp() * at).sum(-1)))


@torch.no_grad()
def greedy(model, prefix, n):
    ids, gaps = [], []
    for _ in range(n):
        last = model(torch.tensor([prefix + ids]), use_cache=False).logits[0, -1]
        top = last.topk(2)
        gaps.append(float(top.values[0] - top.values[1]))
        ids.append(int(top.indices[0]))
    return ids, min(gaps)


def until(ids, ends):
    """Up to and with the first id of `ends`."""
    for n, id_ in enumerate(ids):
        if id_ in ends:
            return ids[: n + 1]
    return ids


def load(config, tensors, seed, folder):
    data = {}
    for name, shape, scale, offset in expanded(tensors, config):
        data[name] = weights(name, shape, seed, scale, offset)
    save_file(data, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config))
    with torch.no_grad():
        model, report = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
    problems = {k: v for k, v in report.items() if v and k in ("missing_keys", "unexpected_keys", "mismatched_keys")}
    assert not problems, problems
    return model.eval()


def tensor_list(config, folder):
    """Names and shapes as transformers saves them, with their scales; layers 1 and later are like layer 0 or listed."""
    (folder / "config.json").write_text(json.dumps(config))
    read = transformers.AutoConfig.from_pretrained(folder)
    transformers.AutoModelForCausalLM.from_config(read, dtype=torch.float32).save_pretrained(folder)
    with safe_open(folder / "model.safetensors", "np") as file:
        found = {name: list(file.get_slice(name).get_shape()) for name in file.keys()}
    return [[name, shape, *scale_and_offset(name, shape, read)] for name, shape in sorted(found.items())]


def contracted(tensors, layers):
    """Writes the layers that are alike once, as `model.layers.*`."""
    kept, seen = [], set()
    entries = {name: rest for name, *rest in tensors}
    for name, *rest in tensors:
        parts = name.split(".")
        if len(parts) > 2 and parts[1] == "layers":
            pattern = ".".join([parts[0], "layers", "*", *parts[3:]])
            names = [pattern.replace("*", str(layer), 1) for layer in range(layers)]
            if all(entries.get(n) == rest for n in names):
                if pattern not in seen:
                    seen.add(pattern)
                    kept.append([pattern, *rest])
                continue
        kept.append([name, *rest])
    return kept


def expanded(tensors, config):
    for name, *rest in tensors:
        if ".*." in name:
            for layer in range(config["num_hidden_layers"]):
                yield [name.replace("*", str(layer), 1), *rest]
        else:
            yield [name, *rest]


def tokens_of(tok, text):
    return tok.encode(text, add_special_tokens=False).ids


def attempt(kind, config, tensors, seed, folder):
    """The expected values with this seed; `None` if a token is almost a tie or nothing ends the text."""
    tok = tokenizer(kind)
    model = load(config, tensors, seed, folder)
    prompt = tokens_of(tok, PROMPT)
    free, gap = greedy(model, prompt, WRITTEN)
    first = {id_: free.index(id_) for id_ in free}
    special = [tok.token_to_id(text) for text in SPECIAL]
    late = sorted((first[id_], id_) for id_ in special if first.get(id_, 0) >= WRITTEN // 3)
    unused = [id_ for id_ in special if id_ not in first]
    if gap < LEAST_GAP or not late or len(set(free)) < 12:
        return None
    # The text ends with the second of two end-of-text tokens.
    ends = [unused[0], late[0][1]]
    written = until(free, ends)
    own = written[: len(written) // 2]
    read = inside(tok, kind, READ)
    context = usable(config)
    repeats = 1
    while len(tokens_of(tok, LONG * (repeats + 1))) < context - 8:
        repeats += 1
    long = tokens_of(tok, LONG * repeats)
    full, full_gap = greedy(model, long, context - len(long))
    full = until(full, ends)
    full_reaches = len(full) == context - len(long)
    # A switch: half of the model's own text, then a step of another model.
    tail = inside(tok, kind, FOREIGN)
    switched, switched_gap = greedy(model, prompt + own + tail, 16)
    switched = until(switched, ends)
    if min(full_gap, switched_gap) < LEAST_GAP or not full_reaches:
        return None
    return dict(
        end_of_text=ends,
        prompt=PROMPT,
        written=dict(ids=written, **statistics(model, prompt, written)),
        read=dict(text=READ, ids=read, **statistics(model, prompt, read)),
        switch=dict(own=len(own), text=FOREIGN, text_ids=tail, ids=switched,
                    **statistics(model, prompt + own + tail, switched)),
        full=dict(context=context, text=LONG, repeats=repeats, tokens=len(long), ids=full,
                  **statistics(model, long, full)),
    )


def inside(tok, kind, text):
    """The ids of a text that follows others: a space for the beginning of a text is not repeated."""
    if kind != "pieces":
        return tokens_of(tok, text)
    before, whole = tokens_of(tok, "\n"), tokens_of(tok, "\n" + text)
    assert whole[: len(before)] == before
    return whole[len(before) :]


def usable(config):
    """Tokens up to which the engine computes what transformers does."""
    windows = [config["max_position_embeddings"]]
    if config.get("use_sliding_window", True) and config.get("sliding_window"):
        windows.append(config["sliding_window"])
    if config.get("rope_scaling") and "long_factor" in config["rope_scaling"]:
        windows.append(config["original_max_position_embeddings"])
    return min(windows)


def make(name, kind, config):
    seed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        config = dict(config, bos_token_id=None, eos_token_id=None, torch_dtype="float32")
        config["model_type"] = model_type(config)
        config.setdefault("hidden_act", "silu")
        if "hidden_activation" in config:
            config.pop("hidden_act")
        tensors = contracted(tensor_list(config, folder), config["num_hidden_layers"])
        for seed in range(200):
            found = attempt(kind, config, tensors, seed, folder)
            if found:
                break
        else:
            raise SystemExit(f"{name}: no seed works")
    entry = dict(tokenizer=kind, config=config, seed=seed, tensors=tensors, **found)
    lines = [f"  {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in entry.items()]
    (HERE / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    size = (HERE / f"{name}.json").stat().st_size
    print(f"{name}: seed {seed}, {len(found['written']['ids'])} written, {size} bytes", flush=True)


def model_type(config):
    """LlamaForCausalLM -> llama, Qwen3MoeForCausalLM -> qwen3_moe."""
    plain = config["architectures"][0].removesuffix("ForCausalLM").lower()
    known = transformers.models.auto.modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    return next(kind for kind in known if kind.replace("_", "") == plain)


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    wanted = sys.argv[1:] or list(families())
    for family in wanted:
        try:
            make(family, *families()[family])
        except Exception as error:
            if len(wanted) == 1:
                raise
            print(f"{family}: {type(error).__name__}: {str(error)[:300]}", flush=True)
