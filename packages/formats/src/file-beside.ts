/**
 * Whether a name that a file gives for another one leads anywhere else than beside it, or into a folder there; also when it is
 * put into an address. No writer makes such names.
 */
export function leadsElsewhere(file: string): boolean {
  const steps = file.split("/");
  return steps.some((step) => step === "" || step === "." || step === "..") || /[\\:%?#]|\p{Cc}/u.test(file);
}
