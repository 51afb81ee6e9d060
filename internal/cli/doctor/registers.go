// SPDX-License-Identifier: MIT

package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"nftdict/classifier/country"
	"nftdict/classifier/vendor"
	"nftdict/dictd/config"
)

// configured reads what dictd reads where no file is named.
func configured() (config.Config, error) {
	c, err := config.Load(config.DefaultPath)
	if errors.Is(err, fs.ErrNotExist) {
		return config.Default(), nil
	}
	return c, err
}

// tryCountries opens the database of countries that dictd is to use, and names
// those that it could.
func tryCountries(context.Context) (string, error) {
	c, err := configured()
	if err != nil {
		return "", err
	}
	return openCountries(c.Countries, "/var/lib/GeoIP/*.mmdb", "/usr/share/GeoIP/*.mmdb")
}

// openCountries opens a database; where none is configured it looks for some.
func openCountries(path string, usual ...string) (string, error) {
	if path == "" {
		var there []string
		for _, pattern := range usual {
			found, err := filepath.Glob(pattern)
			if err != nil {
				return "", err
			}
			there = append(there, found...)
		}
		if len(there) > 0 {
			return "", fmt.Errorf("none is configured; there is %s", strings.Join(there, ", "))
		}
		return "", errors.New("none is configured")
	}
	t, err := country.Open(path)
	if err != nil {
		return "", err
	}
	info := t.Info()
	return fmt.Sprintf("%s, %s of %s", path, info.Type, info.Built.Format(time.DateOnly)), nil
}

// tryVendors opens the registries that dictd is to use.
func tryVendors(context.Context) (string, error) {
	c, err := configured()
	if err != nil {
		return "", err
	}
	return openVendors(c.Vendors)
}

// openVendors opens registries and lists them.
func openVendors(paths []string) (string, error) {
	var left []error
	t, err := vendor.Load(paths, func(err error) { left = append(left, err) })
	if err != nil {
		return "", err
	}
	if t.Len() == 0 {
		return "", errors.Join(append(left, errors.New("none is installed"))...)
	}
	var found []string
	for _, f := range t.Files() {
		found = append(found, fmt.Sprintf("%s of %s", f.Path, f.Changed.Format(time.DateOnly)))
	}
	for _, err := range left {
		found = append(found, "left out "+err.Error())
	}
	return strings.Join(found, ", "), nil
}
