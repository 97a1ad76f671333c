"""Trains one model of the tiny pair and writes it as mistral.rs loads it.

    pip install -r presets/tiny/recipe/requirements.txt
    python presets/tiny/recipe/train.py large
    python presets/tiny/recipe/train.py small

Llama architecture (RMSNorm, rotary positions, SwiGLU, tied embeddings) in JAX. Matrices are
optimized with Muon (Jordan et al. 2024: momentum, orthogonalized by five Newton-Schulz
iterations), the rest with AdamW. The loss is on the solution's tokens alone. The problems come from
`cargo bench --bench studies -- corpus`.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

HOME = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ["cargo", "bench", "--quiet", "--locked", "--bench", "studies", "--", "corpus"]
EOS = "<|end|>"


@dataclass(frozen=True)
class Stage:
    """One run of the optimizer from a fresh state; weights are taken over."""

    range: str  # which questions: see benches/studies/corpus.rs
    questions: int  # different ones; fewer than steps * batch means repetition
    steps: int
    rate: float  # Muon's peak learning rate; AdamW's is a sixth
    seed: int


@dataclass(frozen=True)
class Recipe:
    vocabulary: int
    width: int
    layers: int
    heads: int
    hidden: int
    batch: int
    stages: tuple[Stage, ...]


RECIPES = {
    # Endless fresh questions.
    "large": Recipe(768, 128, 4, 4, 384, 64, (
        Stage("wide", 192_000, 3_000, 0.02, 11),
        Stage("full", 64_000, 1_000, 0.01, 21),
    )),
    # A narrower range, and few enough questions to be overfitted.
    "small": Recipe(384, 48, 3, 3, 96, 64, (Stage("narrow", 6_000, 1_000, 0.02, 12),)),
}


def problems(n, seed, split, range_):
    command = [*CORPUS, "-n", str(n), "--seed", str(seed), "--split", split, "--range", range_]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=HOME).stdout
    return [json.loads(line) for line in out.splitlines()]


def make_tokenizer(vocabulary):
    """Byte-level BPE, digits one by one, learned from all that is asked."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    text = (p["question"] + "\n" + p["solution"] for p in problems(20_000, 3, "train", "wide"))
    tokenizer.train_from_iterator(text, trainer)
    return tokenizer


def initial(recipe, key):
    d, f, n = recipe.width, recipe.hidden, recipe.layers
    keys = iter(jax.random.split(key, 8))
    normal = lambda *shape, scale: scale * jax.random.normal(next(keys), shape)
    return {
        "embed": normal(recipe.vocabulary, d, scale=0.02),
        "norm": jnp.ones(d),
        "layers": {
            "norm1": jnp.ones((n, d)),
            "norm2": jnp.ones((n, d)),
            "q": normal(n, d, d, scale=d**-0.5),
            "k": normal(n, d, d, scale=d**-0.5),
            "v": normal(n, d, d, scale=d**-0.5),
            "o": jnp.zeros((n, d, d)),
            "gate": normal(n, d, f, scale=d**-0.5),
            "up": normal(n, d, f, scale=d**-0.5),
            "down": jnp.zeros((n, f, d)),
        },
    }


def rms(x, weight):
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + 1e-5) * weight


def rotate(x, cos, sin):
    a, b = jnp.split(x, 2, -1)
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], -1)


def logits_of(parameters, recipe, ids):
    batch, length = ids.shape
    heads, size = recipe.heads, recipe.width // recipe.heads
    angles = jnp.arange(length)[:, None] / 10_000.0 ** (jnp.arange(0, size, 2) / size)
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    mask = jnp.where(jnp.tril(jnp.ones((length, length), bool)), 0.0, -1e9)

    def layer(x, p):
        split = lambda y: y.reshape(batch, length, heads, size).transpose(0, 2, 1, 3)
        h = rms(x, p["norm1"])
        q, k, v = (split(h @ p[name]) for name in "qkv")
        scores = rotate(q, cos, sin) @ rotate(k, cos, sin).swapaxes(-1, -2) * size**-0.5
        mixed = jax.nn.softmax(scores + mask) @ v
        x = x + mixed.transpose(0, 2, 1, 3).reshape(batch, length, -1) @ p["o"]
        h = rms(x, p["norm2"])
        return x + (jax.nn.silu(h @ p["gate"]) * (h @ p["up"])) @ p["down"], None

    x, _ = jax.lax.scan(layer, parameters["embed"][ids], parameters["layers"])
    return rms(x, parameters["norm"]) @ parameters["embed"].T


def loss_of(parameters, recipe, ids, weight):
    logits = logits_of(parameters, recipe, ids[:, :-1])
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, ids[:, 1:])
    return (losses * weight[:, 1:]).sum() / weight[:, 1:].sum()


def orthogonalized(g):
    """Newton-Schulz, quintic, coefficients of the Muon authors."""
    wide = g.shape[-1] > g.shape[-2]
    x = g if wide else g.swapaxes(-1, -2)
    x = x / (jnp.linalg.norm(x, axis=(-2, -1), keepdims=True) + 1e-7)
    for _ in range(5):
        a = x @ x.swapaxes(-1, -2)
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    x = x if wide else x.swapaxes(-1, -2)
    return x * max(1.0, g.shape[-1] / g.shape[-2]) ** 0.5


def muon(rate):
    momentum = optax.trace(decay=0.95, nesterov=True)
    to_orthogonal = optax.stateless(lambda u, _: jax.tree.map(orthogonalized, u))
    return optax.chain(momentum, to_orthogonal, optax.scale_by_learning_rate(rate))


def optimizer_of(stage):
    def schedule(peak):
        # Up in 2 %, flat, then linearly down over the last 60 %.
        up, flat = int(0.02 * stage.steps), int(0.4 * stage.steps)
        return optax.join_schedules(
            [
                optax.linear_schedule(0.0, peak, up),
                optax.constant_schedule(peak),
                optax.linear_schedule(peak, 0.02 * peak, stage.steps - flat),
            ],
            [up, flat],
        )

    label = lambda tree: jax.tree.map(lambda x: "muon" if x.ndim == 3 else "adam", tree)
    adam = optax.adamw(schedule(stage.rate / 6), b2=0.98, weight_decay=0.0)
    return optax.multi_transform({"muon": muon(schedule(stage.rate)), "adam": adam}, label)


def encoded(tokenizer, rows):
    questions = tokenizer.encode_batch([r["question"] + "\n" for r in rows])
    solutions = tokenizer.encode_batch([r["solution"] + EOS for r in rows])
    return [(q.ids, s.ids) for q, s in zip(questions, solutions)]


def padded(rows):
    """Ids and loss weights, padded to the next multiple of 32."""
    length = max(len(q) + len(s) for q, s in rows)
    length = -(-length // 32) * 32 + 1
    ids = np.zeros((len(rows), length), np.int32)
    weight = np.zeros((len(rows), length), np.float32)
    for i, (q, s) in enumerate(rows):
        ids[i, : len(q) + len(s)] = q + s
        weight[i, len(q) : len(q) + len(s)] = 1.0
    return ids, weight


def batches(rows, batch, seed):
    """Shuffled batches of questions of about one length, for ever."""
    rng = np.random.default_rng(seed)
    while True:
        order = rng.permutation(len(rows))
        for chunk in np.array_split(order, max(1, len(order) // (batch * 32))):
            chunk = sorted(chunk, key=lambda i: len(rows[i][0]) + len(rows[i][1]))
            parts = [chunk[i : i + batch] for i in range(0, len(chunk), batch)]
            for part in rng.permutation(len(parts)):
                if len(parts[part]) == batch:
                    yield padded([rows[i] for i in parts[part]])


def teacher_forced(predict, parameters, tokenizer, rows):
    """Share of lines, by kind, whose digits all come out right, and of whole solutions."""
    digits = {tokenizer.token_to_id(str(d)) for d in range(10)}
    newline = tokenizer.encode("\n").ids[0]
    right, seen = {}, {}
    for start in range(0, len(rows), 64):
        part = rows[start : start + 64]
        pairs = encoded(tokenizer, part)
        ids, _ = padded(pairs)
        guess = np.asarray(predict(parameters, ids[:, :-1]))
        for row, (q, s), g in zip(part, pairs, guess):
            line, good, whole = 0, True, True
            for position in range(len(q), len(q) + len(s)):
                token = s[position - len(q)]
                if token in digits:
                    good &= bool(g[position - 1] == token)
                if token == newline:
                    kind = row["kinds"][line]
                    seen[kind] = seen.get(kind, 0) + 1
                    right[kind] = right.get(kind, 0) + good
                    line, good, whole = line + 1, True, whole and good
            seen["whole"] = seen.get("whole", 0) + 1
            right["whole"] = right.get("whole", 0) + whole
    return {kind: round(right[kind] / seen[kind], 3) for kind in sorted(seen)}


def save(parameters, recipe, tokenizer, folder):
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        "model.embed_tokens.weight": parameters["embed"],
        "model.norm.weight": parameters["norm"],
    }
    names = {
        "norm1": "input_layernorm", "norm2": "post_attention_layernorm",
        "q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj",
        "o": "self_attn.o_proj",
        "gate": "mlp.gate_proj", "up": "mlp.up_proj", "down": "mlp.down_proj",
    }
    for key, stacked in parameters["layers"].items():
        for i, weight in enumerate(np.asarray(stacked)):
            tensors[f"model.layers.{i}.{names[key]}.weight"] = weight.T
    tensors = {k: np.ascontiguousarray(v, np.float32) for k, v in tensors.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": recipe.vocabulary,
        "hidden_size": recipe.width,
        "intermediate_size": recipe.hidden,
        "num_hidden_layers": recipe.layers,
        "num_attention_heads": recipe.heads,
        "num_key_value_heads": recipe.heads,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "max_position_embeddings": 2048,
        "tie_word_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": tokenizer.token_to_id(EOS),
        "torch_dtype": "float32",
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {"eos_token": EOS, "clean_up_tokenization_spaces": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(special, indent=2) + "\n")
    return sum(v.size for v in tensors.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=RECIPES)
    parser.add_argument("--out", type=pathlib.Path, default=HOME)
    arguments = parser.parse_args()
    recipe, folder = RECIPES[arguments.model], arguments.out / arguments.model

    tokenizer = make_tokenizer(recipe.vocabulary)
    held_out = problems(512, 5, "develop", "full")
    parameters = initial(recipe, jax.random.key(recipe.stages[0].seed))
    predict = jax.jit(lambda p, ids: jnp.argmax(logits_of(p, recipe, ids), -1))
    for number, stage in enumerate(recipe.stages, 1):
        rows = encoded(tokenizer, problems(stage.questions, stage.seed, "train", stage.range))
        parameters = train(recipe, stage, parameters, batches(rows, recipe.batch, stage.seed))
        size = save(parameters, recipe, tokenizer, folder)
        say(f"{arguments.model}, {size} parameters, after stage {number}:")
        say(teacher_forced(predict, parameters, tokenizer, held_out))


def train(recipe, stage, parameters, source):
    optimizer = optimizer_of(stage)
    state = optimizer.init(parameters)

    @partial(jax.jit, donate_argnums=(0, 1))
    def step(parameters, state, ids, weight):
        loss, gradient = jax.value_and_grad(loss_of)(parameters, recipe, ids, weight)
        updates, state = optimizer.update(gradient, state, parameters)
        return optax.apply_updates(parameters, updates), state, loss

    began, tokens, losses = time.time(), 0, []
    for i in range(1, stage.steps + 1):
        ids, weight = next(source)
        parameters, state, loss = step(parameters, state, ids, weight)
        tokens += ids.size
        losses.append(float(loss))
        if i % 50 == 0:
            seconds = time.time() - began
            rate = tokens / seconds
            say(f"{i} loss {np.mean(losses[-50:]):.4f} {rate:.0f} tokens/s {seconds:.0f} s")
    return parameters


def say(line):
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
