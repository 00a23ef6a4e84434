// The settings of trainings, those of guests included.

import { SettingTable } from '../train/settings/train-settings.ts';
import { features } from './features.ts';

/** The table of all settings. */
export const settingTable = new SettingTable(features.settings);

/** The rows of all settings, with their names. */
export const settingRows = settingTable.entries;
