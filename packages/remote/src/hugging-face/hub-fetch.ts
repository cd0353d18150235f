import { type CheckpointError, CheckpointNotFoundError, CheckpointSourceError, type FetchLike } from "@ckptkit/core";

/**
 * A `fetch` that puts the Hub's refusals into words. Their reason is in a header.
 *
 * @see https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/utils/_http.py hf_raise_for_status
 */
export function hubFetch(fetch: FetchLike, name: string, hasToken: boolean): FetchLike {
  return async (url, init) => {
    const answer = await fetch(url, init);
    const error = answer.ok ? undefined : refusal(name, answer, hasToken);
    if (!error) return answer;
    await answer.body?.cancel();
    throw error;
  };
}

function refusal(name: string, { status, headers }: Response, hasToken: boolean): CheckpointError | undefined {
  const code = headers.get("x-error-code");
  const details = { name, status, hubCode: code };
  const notFound = (what: string, suggestions: string[]): CheckpointNotFoundError =>
    new CheckpointNotFoundError("NOT_FOUND", `There is no ${name}: ${what}.`, { details, suggestions });
  const login = hasToken
    ? "The token may lack the right to read it: look at https://huggingface.co/settings/tokens."
    : "If it is private, give a token (HF_TOKEN), made at https://huggingface.co/settings/tokens.";
  if (code === "RevisionNotFound")
    return notFound("the repository has no such revision", ["Give a branch, a tag or a whole commit hash behind the @."]);
  if (code === "EntryNotFound") return notFound("the repository has no such file", []);
  // Without a login the Hub answers 401 for repositories that are private and for those that are none.
  if (code === "RepoNotFound" || (status === 401 && code !== "GatedRepo" && !hasToken)) {
    return notFound("the repository does not exist, or is private", ["Check owner and name; capitals count.", login]);
  }
  if (code === "GatedRepo" || status === 401 || status === 403) {
    const why = code === "GatedRepo" ? "its owner gives access on request only" : `the Hub answered ${status}`;
    return new CheckpointSourceError("ACCESS_DENIED", `${name} may not be read: ${why}.`, {
      details,
      suggestions: [...(code === "GatedRepo" ? ["Ask for access on the page of the repository."] : []), login],
    });
  }
  return undefined;
}
