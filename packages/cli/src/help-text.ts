/** Examples for the help of the program and of each command. */
export const EXAMPLES = {
  all: `
Examples:
  ckpt inspect model.ckpt                            what is in it
  ckpt scan model.ckpt                               is there a NaN in it?
  ckpt hash --tensors model.safetensors              a digest of every tensor
  ckpt audit model.ckpt                              is it safe to load with Python?
  ckpt tensor model.ckpt head.weight --histogram     the values of one tensor
  ckpt compare before.ckpt after.safetensors         what changed, and by how much
  ckpt convert model.ckpt model.safetensors          the model's weights, as safetensors
  ckpt repair broken.ckpt saved.safetensors          what of a damaged file is whole
  ckpt metadata model.safetensors --set license=mit  change the metadata in their place
  ckpt inspect https://example.org/model.ckpt        over HTTP: reads the description alone
  ckpt run pipeline.yaml                             open, check, load, change and save, as a file describes`,
  inspect: `
Examples:
  ckpt inspect model.ckpt
  ckpt inspect model.ckpt --filter '*.attn.*.weight'
  ckpt inspect model.ckpt --summary                  sizes, training state, memory, ties and unused bytes
  ckpt inspect model.ckpt --modules --depth 2        parameters by module
  ckpt inspect model.ckpt --tree                     every value, optimizer and hyper-parameters too
  ckpt inspect model.ckpt --csv > tensors.csv
  ckpt inspect model.safetensors.index.json          all shards of a sharded checkpoint
  ckpt inspect model.ckpt --json | jq '.tensors[].shape'`,
  scan: `
Examples:
  ckpt scan model.ckpt
  ckpt scan model.ckpt --filter 'state_dict.*'       without the optimizer's state
  ckpt scan huge.safetensors --finite                NaN and infinities alone: as fast as the file can be read
  ckpt scan huge.safetensors --workers 8             with eight threads; the results are the same
  ckpt scan last.ckpt > /dev/null || echo "the training has diverged"
  ckpt scan model.ckpt --json | jq '.tensors[] | select(.nan > 0) | .path'`,
  audit: `
Examples:
  ckpt audit model.ckpt
  ckpt audit downloads/ --strict                     every file below it; names that are not known count too
  ckpt audit model.ckpt --policy policy.yaml         allow your own classes: allow: [mypackage.models.*]
  ckpt audit models/ --sarif > audit.sarif           for code scanning
  ckpt audit model.ckpt --json | jq '.globals[] | {module, name, verdict}'

Exit codes:
  0  clean, or unknown: nothing but classes that are not known here (1 with --strict)
  1  dangerous or suspicious
  2  inconclusive: not all of it could be looked at`,
  metadata: `
Examples:
  ckpt metadata model.safetensors
  ckpt metadata model.safetensors --set author=me --remove comment
  ckpt metadata model.ckpt --set run=42 --set 'tags=["a", "b"]'
  ckpt metadata model.ckpt --set-json run.json
  ckpt metadata model.safetensors --set-json long.json --rewrite    where it does not fit`,
  tensor: `
Examples:
  ckpt tensor model.ckpt model.head.weight           what it is, and its first values
  ckpt tensor model.ckpt model.head.weight --values 100 --start 5000
  ckpt tensor model.ckpt model.head.weight --histogram --bins 40
  ckpt tensor huge.safetensors lm_head.weight --histogram --sample 64MB
  ckpt tensor model.ckpt conv1.weight --slice '0,0'  one kernel; ':' for the last two axes
  ckpt tensor model.ckpt model.head.weight --slice : --json | jq '.slice.values'`,
  compare: `
Examples:
  ckpt compare last.ckpt model.safetensors           was it converted well?
  ckpt compare base.safetensors tuned.safetensors    what did the training change?
  ckpt compare a.pt b.safetensors --rtol 1e-2 --ignore-dtype
  ckpt compare a.ckpt b.ckpt --no-values             names, dtypes and shapes, from headers alone
  ckpt compare a.ckpt b.pt --strip-prefix model.
  ckpt compare a.ckpt b.ckpt --json | jq '.changed[] | {path, what, max: .difference.maxAbs}'`,
  hash: `
Examples:
  ckpt hash model.ckpt                               as sha256sum does, and the archive's own CRCs are checked
  ckpt hash model.ckpt --algorithm blake3
  ckpt hash model.ckpt --tensors                     equal for equal tensors, in whatever format they are stored
  diff <(ckpt hash --tensors a.pt) <(ckpt hash --tensors b.pt)`,
  convert: `
Examples:
  ckpt convert last.ckpt model.safetensors
  ckpt convert model.safetensors model.pt            a state dict for torch.load
  ckpt convert last.ckpt small.safetensors --dtype BF16
  ckpt convert last.ckpt out/model.safetensors --max-shard-size 5GB
  ckpt convert model.pt model.ckpt --all             for Lightning, optimizer and the rest too`,
  repair: `
Examples:
  ckpt repair broken.ckpt saved.safetensors          every tensor that is whole; optimizer states too
  ckpt repair broken.ckpt saved.ckpt                 arranged as it was, epoch and hyper-parameters too
  ckpt repair half.safetensors saved.safetensors
  ckpt repair broken.ckpt saved.ckpt --json | jq -r '.lost[] | "\\(.path): \\(.message)"'

Exit codes:
  0  everything was saved
  1  something was lost
  2  nothing could be saved, and nothing was written`,
  run: `
Examples:
  ckpt run pipeline.yaml
  ckpt run pipeline.yaml --set stages.local.path=last.ckpt --set stages.save.path=out/model.safetensors
  ckpt run pipeline.yaml --dry-run                   what would it do?
  ckpt run pipeline.yaml --json | jq '.stages[] | {name, status, durationMs}'`,
  plan: `
Examples:
  ckpt plan pipeline.yaml
  ckpt plan pipeline.yaml --set model.like=base.safetensors
  ckpt plan pipeline.yaml --json | jq '.stages[].fit | select(. != null)'`,
  catalog: `
Examples:
  ckpt catalog                                       all stages
  ckpt catalog loader                                the loading strategies
  ckpt catalog loader transfer_learning              its options`,
  schema: `
Examples:
  ckpt schema > pipeline.schema.json                 then, in a pipeline's first line:
                                                     # yaml-language-server: $schema=pipeline.schema.json`,
  doctor: `
Examples:
  ckpt doctor
  ckpt doctor --json | jq '.checks[] | select(.status == "warning")'`,
} as const;

/** What the exit codes mean. */
export const EXIT_CODES = `Exit codes:
  0    good
  1    the checkpoint has a problem: a NaN or Inf, a wrong checksum, an error among the findings, no weights to
       convert, a check that refuses it, a model that it does not fit, a file that is not safe to load
  2    the command line is wrong, or the checkpoint could not be read or written
  130  interrupted (Ctrl-C): nothing was written`;
