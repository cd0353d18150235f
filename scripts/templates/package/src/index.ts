export { countZeros } from "./count-zeros.js";
