import measure from "fast-string-truncated-width";

const ELLIPSIS = "…";

/** Columns that text takes on a terminal: East Asian characters and emoji take two. The text has no control characters. */
export function widthOf(text: string): number {
  return measure(text).width;
}

/** Cuts text that is wider than `width` columns, with an ellipsis at the end. */
export function cutEnd(text: string, width: number): string {
  const { index, truncated } = measure(text, { limit: width, ellipsis: ELLIPSIS });
  return truncated ? text.slice(0, index) + ELLIPSIS : text;
}

/** Cuts text that is wider than `width` columns in its middle: both ends of a tensor's path tell tensors apart. */
export function cutMiddle(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  const head = measure(text, { limit: Math.floor((width - 1) / 3) }).index;
  let tail = text.length;
  for (let room = width - 1 - widthOf(text.slice(0, head)); tail > head; ) {
    // A surrogate pair is one character.
    const start = tail - (/[\udc00-\udfff]/.test(text[tail - 1] ?? "") && tail > 1 ? 2 : 1);
    room -= widthOf(text.slice(start, tail));
    if (room < 0) break;
    tail = start;
  }
  return text.slice(0, head) + ELLIPSIS + text.slice(tail);
}
