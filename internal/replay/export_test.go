package replay

// ParkAlways turns off what feeds a waiting coroutine without a switch: every wait parks.
func (t *Turn) ParkAlways() { t.run.parks = true }
