package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const provisionerName = "slipway.dev/local-folder"

// dirProvisioner makes one folder per claim under root and a "local" volume bound to the selected node.
// All nodes share the host's file system, so the control plane itself can create the folder.
type dirProvisioner struct{ root string }

func (p dirProvisioner) Provision(_ context.Context, o controller.ProvisionOptions) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	if o.SelectedNodeName == "" {
		return nil, controller.ProvisioningFinished, fmt.Errorf("the storage class needs volumeBindingMode WaitForFirstConsumer")
	}
	dir := filepath.Join(p.root, o.PVName)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, controller.ProvisioningNoChange, err
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		return nil, controller.ProvisioningNoChange, err
	}
	mode := v1.PersistentVolumeFilesystem
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: o.PVName},
		Spec: v1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *o.StorageClass.ReclaimPolicy,
			AccessModes:                   o.PVC.Spec.AccessModes,
			VolumeMode:                    &mode,
			Capacity:                      v1.ResourceList{v1.ResourceStorage: o.PVC.Spec.Resources.Requests[v1.ResourceStorage]},
			PersistentVolumeSource:        v1.PersistentVolumeSource{Local: &v1.LocalVolumeSource{Path: dir}},
			NodeAffinity: &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{
				MatchExpressions: []v1.NodeSelectorRequirement{{Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{o.SelectedNodeName}}}}}}},
		},
	}, controller.ProvisioningFinished, nil
}

func (p dirProvisioner) Delete(_ context.Context, pv *v1.PersistentVolume) error {
	if pv.Spec.Local == nil || filepath.Dir(pv.Spec.Local.Path) != filepath.Clean(p.root) {
		return fmt.Errorf("%s is not a volume of this provisioner", pv.Name)
	}
	return os.RemoveAll(pv.Spec.Local.Path)
}

// provisioner KUBECONFIG DIR
func provisioner(args []string) {
	if len(args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: addons provisioner KUBECONFIG DIR")
		os.Exit(2)
	}
	must := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", args[0])
	must(err)
	cs, err := kubernetes.NewForConfig(cfg)
	must(err)
	ctx := klog.NewContext(context.Background(), klog.Background())
	controller.NewProvisionController(ctx, cs, provisionerName, dirProvisioner{args[1]}, controller.LeaderElection(false)).Run(ctx)
}
