export {
  isComplete,
  type LostTensor,
  REPAIR_TARGETS,
  type RepairOptions,
  type RepairReport,
  type RepairTarget,
  repairCheckpoint,
} from "./repair.js";
