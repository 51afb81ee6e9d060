// SPDX-License-Identifier: MIT

package offload

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"nftdict/dictd/netns"
)

// Device is a network device with what it says of itself.
type Device struct {
	Name string `json:"name"`
	// Hardware tells that it can carry flows itself, and that this is switched on.
	Hardware bool `json:"hardware"`
}

// The feature of devices that says so, and the words of the ethtool interface.
const (
	featureHWTC  = "hw-tc-offload"
	setFeatures  = 4 // ETH_SS_FEATURES
	gStringLen   = 32
	maxFeatures  = 1 << 10
	sizeofIfName = unix.IFNAMSIZ
)

// ask asks what devices can; of one that cannot be asked it is nothing.
func ask(fd int, names []string) ([]Device, error) {
	devices := make([]Device, 0, len(names))
	err := netns.Do(fd, func() error {
		s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("features of devices: %w", err)
		}
		defer unix.Close(s)
		for _, name := range names {
			on, _ := carries(s, name) // many a device has no features to be asked for
			devices = append(devices, Device{name, on})
		}
		return nil
	})
	return devices, err
}

// carries reports whether the feature of a device is on.
func carries(s int, name string) (bool, error) {
	// struct ethtool_sset_info with one u32 of data
	info := make([]byte, 20)
	binary.NativeEndian.PutUint32(info, unix.ETHTOOL_GSSET_INFO)
	binary.NativeEndian.PutUint64(info[8:], 1<<setFeatures)
	if err := ethtool(s, name, info); err != nil {
		return false, err
	}
	n := min(int(binary.NativeEndian.Uint32(info[16:])), maxFeatures)
	// struct ethtool_gstrings
	texts := make([]byte, 12+n*gStringLen)
	binary.NativeEndian.PutUint32(texts, unix.ETHTOOL_GSTRINGS)
	binary.NativeEndian.PutUint32(texts[4:], setFeatures)
	binary.NativeEndian.PutUint32(texts[8:], uint32(n))
	if err := ethtool(s, name, texts); err != nil {
		return false, err
	}
	bit := -1
	for i := range n {
		if unix.ByteSliceToString(texts[12+i*gStringLen:12+(i+1)*gStringLen]) == featureHWTC {
			bit = i
		}
	}
	if bit < 0 {
		return false, nil
	}
	// struct ethtool_gfeatures: blocks of available, requested, active, never_changed
	blocks := (n + 31) / 32
	features := make([]byte, 8+blocks*16)
	binary.NativeEndian.PutUint32(features, unix.ETHTOOL_GFEATURES)
	binary.NativeEndian.PutUint32(features[4:], uint32(blocks))
	if err := ethtool(s, name, features); err != nil {
		return false, err
	}
	active := binary.NativeEndian.Uint32(features[8+bit/32*16+8:])
	return active&(1<<(bit%32)) != 0, nil
}

// ethtool sends a command, whose answer is where it was.
func ethtool(s int, name string, command []byte) error {
	var request struct {
		name [sizeofIfName]byte
		data unsafe.Pointer
		_    [16]byte // the kernel's structure is as long as its longest member
	}
	copy(request.name[:sizeofIfName-1], name)
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&command[0])
	request.data = unsafe.Pointer(&command[0])
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
	if errno != 0 {
		return fmt.Errorf("ethtool %s: %w", name, errno)
	}
	return nil
}
