import { describe, expect, it } from "vitest";
import { ascii, audit, concat, little, rulesOf, zip } from "./hostile.js";

/** A GGUF model without tensors, with a chat template. */
const gguf = (template: string, key = "tokenizer.chat_template"): Uint8Array =>
  concat("GGUF", little(3, 4), little(0, 8), little(1, 8), little(key.length, 8), key, little(8, 4), little(template.length, 8), template);

const HARMLESS =
  "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message.content | trim }}{% endfor %}{{ raise_exception('wrong order') if x else '' }}";

describe("chat templates", () => {
  it.each([
    "{{ cycler.__init__.__globals__.os.name }}",
    "{% for c in ().__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}",
    "{{ ''|attr('__cla' + 'ss__') }}",
    String.raw`{{ ''["\x5f\x5fclass\x5f\x5f"] }}`,
    "{%- set x = self._TemplateReference__context -%}",
  ])("that reach into Python are dangerous: %s", async (template) => {
    for (const [bytes, name] of [
      [gguf(template), "m.gguf"],
      [gguf(template, "tokenizer.chat_template.tool_use"), "m.gguf"],
      [ascii(JSON.stringify({ chat_template: template })), "tokenizer_config.json"],
      [ascii(template), "chat_template.jinja"],
      [zip([{ name: "m/chat_template.jinja", data: ascii(template) }]), "m.zip"],
    ] as const) {
      const result = await audit(bytes, name);
      expect([result.verdict, rulesOf(result)[0]], name).toEqual(["dangerous", "template-code"]);
    }
  });

  it("that do what templates do are clean", async () => {
    for (const [bytes, name] of [
      [gguf(HARMLESS), "m.gguf"],
      [gguf("Write __init__ and __class__ in Python. {{ messages[0].content }}"), "m.gguf"],
      [ascii(JSON.stringify({ chat_template: HARMLESS })), "tokenizer_config.json"],
      [ascii(HARMLESS), "chat_template.jinja"],
    ] as const) {
      expect((await audit(bytes, name)).verdict, name).toBe("clean");
    }
  });
});
