"""Instance segmentation of objects in totes, from the ARMBench or from any COCO dataset."""
