const NUMBER = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?$/i;

/**
 * What text from outside (a variable, a command line) stands for besides itself: a number or a truth value. Undefined when it
 * is nothing but text.
 */
export function typedText(text: string): number | boolean | undefined {
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === "true";
  return NUMBER.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined;
}
