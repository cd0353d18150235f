export { hdf5Reader, openHdf5 } from "./reader.js";
